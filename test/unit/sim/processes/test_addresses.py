"""Every pod has an address of its own, or ports of its own."""

import ipaddress
import random
import socket
import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from aiop.runtime.client.resource import ObjectKey
from aiop.sim.processes.addresses import NETWORK, Addresses
from aiop.sim.processes.errors import PortNotFound
from support.processpods import ProcessBench, process_pods, ready

Object = dict[str, Any]
PROBE = {"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1}
WEB: Object = {
    "name": "main",
    "image": "web:1",
    "ports": [{"name": "http", "containerPort": 8080}],
    "readinessProbe": PROBE,
}


async def said(bench: ProcessBench, name: str) -> str:
    address = bench.pods.address(ObjectKey("team", name), 8080)
    url = f"http://{address.host}:{address.port}/{name}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds all of 127.0.0.0/8")
async def test_pods_listen_on_the_same_port_of_addresses_of_their_own(tmp_path: Path) -> None:
    async with process_pods(tmp_path) as bench:
        for name in ("one", "two"):
            await bench.pod(name, WEB)
        pods = [await bench.seen(name, ready) for name in ("one", "two")]
        addresses = {pod["status"]["podIP"] for pod in pods}
        assert len(addresses) == 2
        assert all(ipaddress.ip_address(each) in NETWORK for each in addresses)
        assert [await said(bench, name) for name in ("one", "two")] == ["/one", "/two"]
        assert {each.address for each in bench.pods.running()} == addresses
        assert [each.containers for each in bench.pods.running()] == [("main",), ("main",)]


async def test_where_there_is_one_address_each_pod_has_ports_of_its_own_and_is_told(tmp_path: Path) -> None:
    async with process_pods(tmp_path, own_addresses=False) as bench:
        for name in ("one", "two"):
            await bench.pod(name, WEB)
        pods = [await bench.seen(name, ready) for name in ("one", "two")]
        assert {pod["status"]["podIP"] for pod in pods} == {"127.0.0.1"}
        ports = {bench.pods.address(ObjectKey("team", name), 8080).port for name in ("one", "two")}
        assert len(ports) == 2
        assert [await said(bench, name) for name in ("one", "two")] == ["/one", "/two"]
        with pytest.raises(PortNotFound):
            bench.pods.address(ObjectKey("team", "one"), 9)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds all of 127.0.0.0/8")
def test_two_clusters_of_one_machine_never_share_an_address_until_it_is_given_back() -> None:
    one, two = Addresses(random.Random(7)), Addresses(random.Random(7))
    first, second = one.give([]), two.give([])
    assert first.host != second.host
    first.release()
    third = Addresses(random.Random(7)).give([])
    assert third.host == first.host
    for each in (second, third):
        each.release()


def test_a_system_without_more_loopback_addresses_falls_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: tuple[str, int]) -> None:
        if address[0] != "127.0.0.1":
            raise OSError(99, "Cannot assign requested address")

    class Refusing(socket.socket):
        def bind(self, address: Any) -> None:
            refuse(self, address)
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Refusing)
    given = Addresses(random.Random(1)).give([8080, 8081])
    assert given.host == "127.0.0.1"
    assert given.of(8080).port != given.of(8081).port
