"""What goes to the API server for a server's new amounts, and what its answers mean."""

import random
from typing import Any

import msgspec
import pytest

from aiop.controllers.serving.errors import ChildRefused
from aiop.controllers.serving.resize.plan import ServerResize
from aiop.controllers.serving.resize.resizer import NotResizable, Resized, Resizer
from aiop.controllers.serving.resize.shape import TemplateResize
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import ServerError
from aiop.runtime.client.transport import Request, Response
from aiop.runtime.informer.stream import StreamInformer
from aiop.runtime.views.meta import ObjectMeta
from aiop.runtime.views.workloads import Pod, ReplicaSet, decode_pod, decode_replica_set
from support.clock import FakeClock
from support.listwatch import ScriptedSource, page
from support.running import run_informer
from support.transport import ScriptedTransport, ok, refusal

META = ObjectMeta(name="p", namespace="team", uid="u", resource_version="7")
SERVER = ServerResize(Pod(META), {"server": {"limits.cpu": "2", "requests.cpu": "1"}})
SHOWN = {"metadata": {"name": "p", "namespace": "team", "uid": "u", "resourceVersion": "8"}}


class Bench:
    """One answer for whatever is asked."""

    def __init__(self, answer: Response) -> None:
        clock = FakeClock()
        self.answer = answer
        self.transport = ScriptedTransport(self.reply)
        self.pods: StreamInformer[Pod] = self._informer(decode_pod, clock)
        self.sets: StreamInformer[ReplicaSet] = self._informer(decode_replica_set, clock)
        self.resizer = Resizer(Client(self.transport, clock=clock), self.pods, self.sets, "aiop/serving")

    def _informer(self, decode: Any, clock: FakeClock) -> StreamInformer[Any]:
        return StreamInformer("any", ScriptedSource([page(1)]), decode, clock=clock, random=random.Random(1))

    async def reply(self, _request: Request) -> Response:
        return self.answer


async def test_a_server_is_asked_by_the_very_version_that_was_seen_and_shows_at_once() -> None:
    bench = Bench(ok(SHOWN))
    async with run_informer(bench.pods):
        assert await bench.resizer.resize(SERVER) is Resized.CHANGED
        assert [each.metadata.resource_version for each in bench.pods.store.values()] == ["8"]
    (request,) = bench.transport.requests
    assert request.method == "PATCH"
    assert request.path == "/api/v1/namespaces/team/pods/p/resize"
    assert request.headers["Content-Type"] == "application/strategic-merge-patch+json"
    assert msgspec.json.decode(request.body or b"") == {
        "metadata": {"uid": "u", "resourceVersion": "7"},
        "spec": {"containers": [{"name": "server", "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "1"}}}]},
    }


async def test_a_replica_set_gets_the_deployments_pod_to_the_letter() -> None:
    bench = Bench(ok(SHOWN))
    async with run_informer(bench.sets):
        assert await bench.resizer.follow(TemplateResize(ReplicaSet(META), {"a": 1})) is Resized.CHANGED
    (request,) = bench.transport.requests
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert msgspec.json.decode(request.body or b"") == {
        "metadata": {"uid": "u", "resourceVersion": "7"},
        "spec": {"template": {"spec": {"a": 1}}},
    }


@pytest.mark.parametrize(
    "answer", [refusal(409, "Conflict"), refusal(404, "NotFound", 'pods "p" not found')], ids=["changed", "gone"]
)
async def test_what_has_changed_or_is_gone_is_overtaken(answer: Response) -> None:
    assert await Bench(answer).resizer.resize(SERVER) is Resized.OVERTAKEN
    assert await Bench(answer).resizer.follow(TemplateResize(ReplicaSet(META), {})) is Resized.OVERTAKEN


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(404, "NotFound", "the server could not find the requested resource"), "Kubernetes 1.33 and newer do"),
        (refusal(422, "Invalid", "Pod QOS Class may not change"), "the API server refuses it: Pod QOS Class"),
        (
            refusal(403, "Forbidden", 'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu'),
            "the API server refuses it: node didn't have enough allocatable resources: cpu",
        ),
        (refusal(403, "Forbidden", 'pods "p" is forbidden: User "aiop" cannot patch'), 'User "aiop" cannot patch'),
    ],
)
async def test_what_cannot_be_done_says_why(answer: Response, words: str) -> None:
    with pytest.raises(NotResizable) as raised:
        await Bench(answer).resizer.resize(SERVER)
    assert words in str(raised.value)


async def test_a_quota_is_waited_for_since_a_rollout_would_need_more_of_it() -> None:
    words = 'pods "p" is forbidden: exceeded quota: team, requested: limits.cpu=1, used: limits.cpu=4, limited: 4'
    with pytest.raises(ChildRefused) as raised:
        await Bench(refusal(403, "Forbidden", words)).resizer.resize(SERVER)
    assert raised.value.reason == "QuotaExceeded"
    assert "exceeded quota: team" in raised.value.message
    assert "it is tried again every minute" in raised.value.message


@pytest.mark.parametrize(
    "answer",
    [
        refusal(403, "Forbidden", 'replicasets "p" is forbidden: User "aiop" cannot patch resource'),
        refusal(422, "Invalid", "ValidatingAdmissionPolicy 'frozen' with binding 'all' denied request: no changes"),
    ],
)
async def test_a_replica_set_that_may_not_be_changed_is_not_asked_again(answer: Response) -> None:
    with pytest.raises(NotResizable) as raised:
        await Bench(answer).resizer.follow(TemplateResize(ReplicaSet(META), {}))
    assert "does not let ReplicaSet 'p' make servers with the new amounts: " in str(raised.value)


async def test_a_webhook_that_does_not_answer_may_do_so_later() -> None:
    answer = refusal(500, "InternalError", 'failed calling webhook "a.b.c": connection refused')
    with pytest.raises(ChildRefused) as raised:
        await Bench(answer).resizer.follow(TemplateResize(ReplicaSet(META), {}))
    assert raised.value.reason == "AdmissionFailed"
    with pytest.raises(ChildRefused):
        await Bench(answer).resizer.resize(SERVER)


async def test_a_fault_of_the_server_itself_is_no_refusal() -> None:
    with pytest.raises(ServerError):
        await Bench(refusal(500, "InternalError", "etcd is away")).resizer.resize(SERVER)
