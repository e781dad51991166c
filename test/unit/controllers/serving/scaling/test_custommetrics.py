"""What an adapter may say on custom.metrics.k8s.io, and what is made of it."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiop.controllers.serving.errors import MetricsUnreadable
from aiop.controllers.serving.scaling.custommetrics import CustomMetrics, Values
from aiop.controllers.serving.scaling.served import Sight
from aiop.runtime.client.client import Client
from aiop.runtime.client.errors import AnswerTooLong, ConnectionFailed, RequestTimedOut
from aiop.runtime.client.transport import Request, Response
from support.clock import FakeClock
from support.transport import ScriptedTransport, ok, refusal

GROUP = "/apis/custom.metrics.k8s.io"


def metrics(answer: Response | Exception) -> tuple[CustomMetrics, ScriptedTransport]:
    async def answers(_request: Request) -> Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    transport = ScriptedTransport(answers)
    return CustomMetrics(Client(transport, clock=FakeClock())), transport


def group(*versions: str, preferred: str = "") -> Response:
    return ok({"preferredVersion": {"version": preferred}, "versions": [{"version": each} for each in versions]})


def item(pod: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"describedObject": {"kind": "Pod", "name": pod, "apiVersion": "/v1"}, "value": value, **more}


async def sight_of(answer: Response | Exception) -> Sight:
    """Why values cannot be read."""
    with pytest.raises(MetricsUnreadable) as raised:
        await metrics(answer)[0].values("v1beta1", "team", "gpu_busy")
    return raised.value.sight


@pytest.mark.parametrize(
    ("versions", "preferred", "expected"),
    [
        (["v1beta1"], "v1beta1", "v1beta1"),
        (["v1beta1", "v1beta2"], "v1beta1", "v1beta1"),
        (["v1beta1", "v1beta2"], "", "v1beta2"),
        (["v1", "v1beta1"], "v1", "v1beta1"),
        (["v1beta1"], "v1beta2", "v1beta1"),
    ],
)
async def test_the_preferred_version_is_taken_if_autoscalers_can_read_it(
    versions: list[str], preferred: str, expected: str
) -> None:
    assert await metrics(group(*versions, preferred=preferred))[0].version() == expected


@pytest.mark.parametrize("answer", [refusal(404, "NotFound"), group("v1"), ok({}), ok({"versions": None})])
async def test_without_a_version_that_autoscalers_read_there_is_no_such_api(answer: Response) -> None:
    with pytest.raises(MetricsUnreadable) as raised:
        await metrics(answer)[0].version()
    assert raised.value.sight is Sight.NO_API


async def test_all_pods_of_a_namespace_are_asked_for_at_once_and_only_ours() -> None:
    reader, transport = metrics(ok({"items": [item("a", "80"), item("b", "0"), item("c", "9223372036854775794")]}))
    found = await reader.values("v1beta2", "team", "gpu_busy")
    assert found == Values(frozenset({"a", "b"}), frozenset({"c"}))
    (request,) = transport.requests
    assert request.path == f"{GROUP}/v1beta2/namespaces/team/pods/%2A/gpu_busy"
    assert dict(request.query) == {"labelSelector": "geartickler.com/aiworkload"}
    assert request.timeout is not None
    assert request.timeout <= 15
    assert request.most_bytes is not None


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        ("80", True), ("455m", True), ("0", True), ("1", True), (80, True), (0.5, True), ("100k", True), ("2e2", True),
        ("9223372036854775794", False), ("9223372036854775808m", False), ("2147483632", False),
        ("140737488355328", False), ("-1", False), ("", False), ("NaN", False), ("1e999999999", False), (None, False),
    ],
)  # fmt: skip
async def test_a_value_counts_unless_it_stands_for_none(value: Any, counts: bool) -> None:
    found = await metrics(ok({"items": [item("a", value)]}))[0].values("v1beta1", "team", "gpu_busy")
    assert ("a" in found.pods, "a" in found.blank) == (counts, not counts)


@pytest.mark.parametrize("answer", [refusal(404, "NotFound"), ok({"items": []}), ok({"items": None}), ok({})])
async def test_no_such_metric_and_no_pods_are_no_values(answer: Response) -> None:
    assert await metrics(answer)[0].values("v1beta1", "team", "gpu_busy") == Values()


@pytest.mark.parametrize(
    "answer",
    [
        refusal(503, "ServiceUnavailable"),
        refusal(500, "InternalError"),
        refusal(429, "TooManyRequests"),
        refusal(401, "Unauthorized"),
        ConnectionFailed("gone"),
        RequestTimedOut("late"),
        AnswerTooLong("long"),
        Response(200, {}, b"<html>"),
        Response(200, {}, b""),
        Response(200, {}, b"\xff\xfe"),
        Response(200, {}, b'{"items": "none"}'),
        Response(200, {}, b'{"items": [{"value": true}]}'),
        Response(200, {}, b'{"items": [{"describedObject": 7}]}'),
        Response(200, {}, b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ],
)
async def test_whatever_goes_wrong_is_no_proper_answer(answer: Response | Exception) -> None:
    assert await sight_of(answer) is Sight.UNREADABLE


async def test_a_right_that_is_missing_is_told_from_the_rest() -> None:
    assert await sight_of(refusal(403, "Forbidden")) is Sight.FORBIDDEN


async def test_a_list_names_metrics_of_pods() -> None:
    listing = ok({"resources": [{"name": "namespaces/gpu_busy"}, {"name": "pods/other"}]})
    assert not await metrics(listing)[0].lists("v1beta1", "gpu_busy")
    assert await metrics(listing)[0].lists("v1beta1", "other")
    assert not await metrics(refusal(404, "NotFound"))[0].lists("v1beta1", "other")


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["items", "describedObject", "name", "value", "versions", "preferredVersion", "x"]), inner
        )
    ),
    max_leaves=12,
)


@given(junk.map(msgspec.json.encode) | st.binary(max_size=40), st.integers(200, 599))
async def test_no_answer_does_more_harm_than_not_to_be_used(body: bytes, status: int) -> None:
    reader = metrics(Response(status, {}, body))[0]
    outcomes = await asyncio.gather(
        reader.version(),
        reader.values("v1beta1", "team", "gpu_busy"),
        reader.lists("v1beta1", "gpu_busy"),
        return_exceptions=True,
    )
    assert all(isinstance(outcome, str | Values | bool | MetricsUnreadable) for outcome in outcomes)
