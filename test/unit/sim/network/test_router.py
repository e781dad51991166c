"""Requests through the router, to servers that stand for pods."""

import asyncio
import io
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from aiop.runtime.client.builtin import ENDPOINTSLICES, INGRESSCLASSES, INGRESSES
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.network import upstreams
from aiop.sim.network.forwarding import Repeat
from support.networkbench import NAMESPACE, Bench, Pod, network_bench, until


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with network_bench() as found:
        yield found


async def served(bench: Bench, *pods: Pod) -> None:
    await bench.service("web")
    await bench.behind("web", *pods)
    await bench.ingress("web", "/", "web", kind="Prefix")
    await bench.until_answers("/")
    for pod in pods:
        pod.asked.clear()
        pod.bodies.clear()


async def test_a_request_reaches_a_pod_as_the_client_sent_it(bench: Bench) -> None:
    pod = await bench.pod("a")
    await served(bench, pod)
    headers = {"X-Mine": "1", "Connection": "X-Hop", "X-Hop": "1", "Host": "bert.example.com", "X-Forwarded-For": "6.6"}
    await bench.ask("/p%2Fq%20r?x=%2B&y", method="POST", data=b"hello", headers=headers)
    [asked] = pod.asked
    assert (asked.method, asked.raw_path, pod.bodies) == ("POST", "/p%2Fq%20r?x=%2B&y", [b"hello"])
    assert asked.headers["Host"] == asked.headers["X-Forwarded-Host"] == "bert.example.com"
    assert asked.headers["X-Mine"] == "1"
    assert "X-Hop" not in asked.headers
    assert asked.headers["X-Forwarded-For"] == "127.0.0.1"


async def test_what_a_client_says_of_the_way_it_came_is_not_believed(bench: Bench) -> None:
    pod = await bench.pod("a")
    await served(bench, pod)
    headers = CIMultiDict({"Host": "bert.example.com", "Forwarded": "for=6.6", "X-Real-IP": "6.6"})
    for hop in ("X-First", "X-Second, Host"):
        headers.add("Connection", hop)
    headers.extend({"X-First": "1", "X-Second": "2"})
    await bench.ask("/", headers=headers)
    [asked] = pod.asked
    assert asked.headers["Host"] == "bert.example.com"
    assert not {"Forwarded", "X-Real-IP", "X-First", "X-Second"} & set(asked.headers)


async def test_a_request_for_no_path_is_refused(bench: Bench) -> None:
    await served(bench, await bench.pod("a"))
    router = URL(bench.network.router_url)
    reader, writer = await asyncio.open_connection(router.host, router.port)
    writer.write(b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_rewrite_replaces_the_whole_path_and_keeps_the_query(bench: Bench) -> None:
    pod = await bench.pod("a")
    await bench.service("web")
    await bench.behind("web", pod)
    await bench.ingress("web", "/api/v1/predict", "web", rewrite="/v2/models/bert/infer")
    await bench.until_answers("/api/v1/predict?a=b")
    assert pod.asked[-1].raw_path == "/v2/models/bert/infer?a=b"
    assert (await bench.ask("/api/v1/predict/more"))[0] == 404


async def test_each_missing_link_is_named(bench: Bench) -> None:
    assert await bench.ask("/x") == (
        404,
        'no Ingress of the class "embedded" leads the path /x of the host 127.0.0.1\n',
    )
    await bench.ingress("web", "/x", "web")
    assert 'no Service "web" in the namespace "default"' in await bench.until_answers("/x", 503)
    await bench.service("web")
    await until(lambda: told(bench, "/x", 'the Service "web" has no ready pod'))
    pod = await bench.pod("a")
    await bench.behind("web", pod)
    assert await bench.until_answers("/x") == "a"
    await pod.stop()
    assert "the pod a (127.0.0.1:" in await bench.until_answers("/x", 502)


async def told(bench: Bench, path: str, words: str) -> bool:
    status, text = await bench.ask(path)
    return status == 503 and words in text


async def test_an_ingress_of_another_class_is_not_served(bench: Bench) -> None:
    pod = await bench.pod("a")
    await served(bench, pod)
    await bench.ingress("foreign", "/foreign", "missing", class_name="nginx")
    await bench.ingress("own", "/own", "web")
    assert await bench.until_answers("/own") == "a"
    assert await bench.ask("/foreign") == (200, "a")


async def test_requests_are_shared_among_ready_pods_only(bench: Bench) -> None:
    pods = [await bench.pod(name) for name in "abc"]
    await served(bench, *pods)
    await bench.behind("web", pods[2], ready=False, serving=False)
    await until(lambda: has_left(bench, pods[2]))
    answers = {(await bench.ask("/"))[1] for _ in range(20)}
    assert answers == {"a", "b"}


async def has_left(bench: Bench, pod: Pod) -> bool:
    return all([(await bench.ask("/"))[1] != pod.name for _ in range(5)])


async def test_a_pod_on_its_way_out_is_asked_only_when_no_other_is_left(bench: Bench) -> None:
    a, b = await bench.pod("a"), await bench.pod("b")
    await served(bench, a, b)
    await bench.behind("web", a, ready=False, terminating=True)
    await until(lambda: has_left(bench, a))
    await bench.behind("web", b, ready=False, serving=False)
    await until(lambda: has_left(bench, b))
    assert await bench.ask("/") == (200, "a")


async def test_a_request_under_way_is_finished_by_a_pod_that_leaves(bench: Bench) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        if request.path == "/slow":
            begun.set()
            await go_on.wait()
        return web.Response(text="a")

    a, b = await bench.pod("a", slow), await bench.pod("b")
    await served(bench, a)
    asked = asyncio.create_task(bench.ask("/slow", method="POST", data=b"x"))
    await begun.wait()
    await bench.behind("web", b)
    await bench.behind("web", a, ready=False, terminating=True)
    await until(lambda: has_left(bench, a))
    go_on.set()
    assert await asked == (200, "a")


async def test_a_pod_that_refuses_connections_costs_no_request(bench: Bench) -> None:
    a, b = await bench.pod("a"), await bench.pod("b")
    await served(bench, a, b)
    await a.stop()
    answers = [await bench.ask("/", method="POST", data=b"x") for _ in range(10)]
    assert answers == [(200, "b")] * 10


@pytest.mark.parametrize(
    ("repeat", "method", "wanted"),
    [
        (Repeat.IDEMPOTENT, "GET", 200),
        (Repeat.IDEMPOTENT, "POST", 502),
        (Repeat.EVERYTHING, "POST", 200),
    ],
)
async def test_a_request_that_a_pod_took_is_sent_to_another_only_if_that_is_safe(
    repeat: Repeat, method: str, wanted: int
) -> None:
    async def dies(request: web.Request) -> web.StreamResponse:
        if request.path == "/ask":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="a")

    async with network_bench(repeat=repeat) as bench:
        a, b = await bench.pod("a", dies), await bench.pod("b")
        await served(bench, a, b)
        answers = {(await bench.ask("/ask", method=method, data=b"x"))[0] for _ in range(6)}
        assert answers == {200, wanted}


async def test_bodies_are_streamed_both_ways(bench: Bench) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for piece in request.content.iter_any():
            await response.write(piece)
        return response

    await served(bench, await bench.pod("a", echo))
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def body() -> AsyncIterator[bytes]:
        while piece := await pieces.get():
            yield piece

    await pieces.put(b"one")
    async with bench.client.post(f"{bench.network.router_url}/", data=body()) as answer:
        assert await answer.content.readany() == b"one"  # while the request still goes on
        await pieces.put(b"two")
        assert await answer.content.readany() == b"two"
        await pieces.put(b"")
        assert await answer.content.readany() == b""


async def test_a_large_body_arrives_whole(bench: Bench) -> None:
    pod = await bench.pod("a")
    await served(bench, pod)
    large = bytes(range(256)) * 40_000
    assert await bench.ask("/", method="PUT", data=io.BytesIO(large)) == (200, "a")
    assert pod.bodies == [large]


async def test_an_answer_that_breaks_off_breaks_off_for_the_client(bench: Bench) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            return web.Response(text="a")
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    await served(bench, await bench.pod("a", half))
    with pytest.raises(aiohttp.ClientError):
        await bench.ask("/half")


async def test_headers_beyond_the_bound_are_refused(bench: Bench) -> None:
    await served(bench, await bench.pod("a"))
    assert (await bench.ask("/", headers={"X-Long": "x" * 20_000}))[0] == 400
    assert (await bench.ask("/", headers={f"X-{n}": "x" for n in range(200)}))[0] == 400
    assert (await bench.ask("/", headers={"X-Long": "x" * 15_000}))[0] in {200, 400}


async def test_ingresses_of_the_class_get_the_routers_address(bench: Bench) -> None:
    await bench.ingress("web", "/x", "web")
    await bench.ingress("foreign", "/y", "web", class_name="nginx")
    port = int(bench.network.router_url.rsplit(":", 1)[1])

    async def addressed() -> bool:
        ingress = await bench.api.get(INGRESSES, ObjectKey(NAMESPACE, "web"))
        said = ingress.get("status", {}).get("loadBalancer", {}).get("ingress")
        return bool(said == [{"ip": "127.0.0.1", "ports": [{"port": port, "protocol": "TCP"}]}])

    await until(addressed)
    foreign = await bench.api.get(INGRESSES, ObjectKey(NAMESPACE, "foreign"))
    assert not foreign.get("status", {}).get("loadBalancer")
    found = await bench.api.get(INGRESSCLASSES, ObjectKey("", "embedded"))
    assert found["metadata"]["annotations"] == {"ingressclass.kubernetes.io/is-default-class": "true"}
    assert found["spec"]["controller"].startswith("k8s.io/ingress-nginx/")


async def test_no_connection_to_a_pod_outlives_its_endpoint(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstreams, "_KEEP_SECONDS", 1000.0)
    pod = await bench.pod("a")
    await served(bench, pod)
    assert pod.runner is not None
    assert pod.runner.server is not None
    assert pod.runner.server.connections
    await bench.api.delete(ENDPOINTSLICES, ObjectKey(NAMESPACE, "web-a"))
    await until(lambda: unconnected(pod))


async def unconnected(pod: Pod) -> bool:
    assert pod.runner is not None
    assert pod.runner.server is not None
    return not pod.runner.server.connections
