"""A resume point is worth nothing on a server that has not come as far."""

import pytest

from aiop.runtime.client.builtin import CONFIGMAPS
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ConnectionFailed, ServerError
from support.informerbench import Bench, running
from support.listwatch import ScriptedSource, behind, page, widget
from support.loopback import Loopback, says


@pytest.mark.promise(5, "S6")
async def test_a_resume_point_is_confirmed_after_a_failure_and_only_then() -> None:
    bench = Bench(ScriptedSource([page(5, widget("a", 1))]))
    async with running(bench):
        bench.source.end()
        await bench.clock.advance(2)
        assert bench.source.confirmed == []
        bench.source.fail(ConnectionFailed("reset"))
        await bench.clock.advance(4)
        assert bench.source.confirmed == ["5"]
        assert bench.source.calls == ["list", "watch 5", "watch 5", "watch 5"]


@pytest.mark.promise("S1", "S6")
async def test_a_server_that_was_restored_from_a_backup_is_listed_anew() -> None:
    """It takes a watch from a version that it has not reached, and is silent until it has: without the question the
    cache would be deaf to all that happens meanwhile.
    """
    bench = Bench(ScriptedSource([page(50, widget("lost", 40), widget("old", 45))], [page(10, widget("old", 7))]))
    async with running(bench):
        bench.told.clear()
        bench.source.behind.append(behind("50"))
        bench.source.fail(ConnectionFailed("reset"))
        await bench.clock.advance(10)
        assert bench.source.calls == ["list", "watch 50", "list", "watch 10"]
        assert bench.told == ["DELETED lost 40>", "MODIFIED old 45>7"]


async def test_a_version_is_confirmed_by_one_small_request(client: Client, server: Loopback) -> None:
    server.answer = says(200, {"metadata": {"resourceVersion": "70"}, "items": []})
    await client.confirm(CONFIGMAPS, "50", namespace="default")
    assert server.last.path == "/api/v1/namespaces/default/configmaps"
    assert server.last.query == {"limit": "1", "resourceVersion": "50", "resourceVersionMatch": "NotOlderThan"}
    status = {"code": 504, "reason": "Timeout", "details": {"causes": [{"reason": "ResourceVersionTooLarge"}]}}
    server.answer = says(504, status)
    with pytest.raises(ServerError) as raised:
        await client.confirm(CONFIGMAPS, "50")
    assert [cause.reason for cause in raised.value.causes] == ["ResourceVersionTooLarge"]
