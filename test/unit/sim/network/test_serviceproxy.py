"""Connections to Services, and what pods they reach."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from aiop.runtime.client.builtin import ENDPOINTSLICES, SERVICES
from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes.podaccess import Address
from support.networkbench import NAMESPACE, Bench, Pod, network_bench, until

KEY = ObjectKey(NAMESPACE, "web")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with network_bench() as found:
        yield found


async def listening(bench: Bench, key: ObjectKey = KEY, port: int = 80) -> Address:
    found: list[Address] = []

    async def listens() -> bool:
        address = bench.network.services.address(key, port)
        found.extend([address] if address else [])
        return bool(found)

    await until(listens)
    return found[0]


async def ask(address: Address) -> str:
    """What a pod answers through the Service; empty if the connection is cut."""
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        answer = await reader.read()
        writer.close()
    except ConnectionError:
        return ""
    return answer.rpartition(b"\r\n")[2].decode()


async def until_asked(address: Address, right: Callable[[str], bool]) -> None:
    async def answers() -> bool:
        return right(await ask(address))

    await until(answers)


async def test_a_service_is_reached_at_an_address_of_this_machine(bench: Bench) -> None:
    service = await bench.service("web")
    await bench.behind("web", await bench.pod("a"))
    address = await listening(bench)
    assert service["spec"]["clusterIP"].startswith("127.201.")
    assert address.host in {service["spec"]["clusterIP"], "127.0.0.1"}  # a port below 1024 may not be ours to take
    await until_asked(address, lambda answer: answer == "a")


async def test_where_the_services_own_address_is_taken_another_one_listens(bench: Bench) -> None:
    taken = await asyncio.start_server(lambda *_: None, "127.201.9.9", 0)
    port = taken.sockets[0].getsockname()[1]
    await bench.make(SERVICES, "web", spec={"clusterIP": "127.201.9.9", "ports": [{"name": "http", "port": port}]})
    await bench.behind("web", await bench.pod("a"))
    address = await listening(bench, port=port)
    assert address.host == "127.0.0.1"
    await until_asked(address, lambda answer: answer == "a")
    taken.close()


async def test_connections_go_to_ready_pods_and_past_one_that_refuses(bench: Bench) -> None:
    a, b, c = [await bench.pod(name) for name in "abc"]
    await bench.service("web")
    await bench.behind("web", a, b)
    await bench.behind("web", c, ready=False, serving=False)
    address = await listening(bench)
    await until_asked(address, bool)
    await a.stop()
    assert {await ask(address) for _ in range(10)} == {"b"}


async def test_a_connection_to_a_pod_that_leaves_goes_on_and_new_ones_do_not_come(bench: Bench) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(100):
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    leaving = Pod("leaving", server.sockets[0].getsockname()[1])
    await bench.service("web")
    await bench.behind("web", leaving)
    address = await listening(bench)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"one")
    assert await reader.read(100) == b"one"
    await bench.behind("web", await bench.pod("b"))
    await bench.behind("web", leaving, ready=False, terminating=True)
    await until_asked(address, lambda answer: answer == "b")
    writer.write(b"two")
    assert await reader.read(100) == b"two"
    writer.write_eof()
    assert await reader.read() == b""
    writer.close()
    server.close()


async def test_a_service_without_pods_or_gone_cuts_connections(bench: Bench) -> None:
    await bench.service("web")
    address = await listening(bench)
    assert await ask(address) == ""
    await bench.api.delete(SERVICES, KEY)
    await until(lambda: refused(address))


async def refused(address: Address) -> bool:
    try:
        _, writer = await asyncio.open_connection(address.host, address.port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_a_headless_service_has_no_proxy(bench: Bench) -> None:
    await bench.make(SERVICES, "quiet", spec={"clusterIP": "None", "ports": [{"name": "http", "port": 80}]})
    await bench.service("web")
    await listening(bench)
    assert bench.network.services.address(ObjectKey(NAMESPACE, "quiet"), 80) is None


@pytest.mark.parametrize(
    ("address", "port"),
    [("0.0.0.0", 8099), ("127.0.0.1", 8099), ("localhost", 8099), ("10.96.0.9", 8099), ("127.201.0.9", 99_999)],  # noqa: S104
)
async def test_no_service_takes_an_address_that_is_not_for_services(bench: Bench, address: str, port: int) -> None:
    await bench.make(SERVICES, "greedy", spec={"clusterIP": address, "ports": [{"name": "http", "port": port}]})
    found = await listening(bench, ObjectKey(NAMESPACE, "greedy"), port)
    assert found.host == "127.0.0.1"
    assert found.port != port


async def test_slices_that_make_no_sense_stop_nobody(bench: Bench) -> None:
    await bench.service("web")
    good, bad = await bench.pod("a"), Pod("b", 70_000)
    nowhere: dict[str, object] = {"addresses": [], "conditions": {}}
    name = {"addresses": ["metadata.internal"], "conditions": {"ready": None}}
    labels = {"kubernetes.io/service-name": "web"}
    for number, endpoint in enumerate((nowhere, name)):
        meta = {"name": f"bad-{number}", "namespace": NAMESPACE, "labels": labels}
        ports = [{"name": "http", "port": 80}]
        await bench.api.create(
            ENDPOINTSLICES,
            NAMESPACE,
            {"metadata": meta, "addressType": "IPv4", "ports": ports, "endpoints": [endpoint]},
        )
    await bench.behind("web", bad, good)
    address = await listening(bench)
    await until_asked(address, lambda answer: answer == "a")
    assert {await ask(address) for _ in range(5)} == {"a"}
