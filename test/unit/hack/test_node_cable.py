"""Which number a new node gets: what it would take from another is never its own."""

import json
from pathlib import Path

import pytest

from hack.node import cable, cgroups
from hack.node.errors import NodeFailed
from hack.node.place import Place


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One without links and cgroups; its `ip` answers with the file ``links`` and writes down what else it is told."""
    (tmp_path / "cgroups").mkdir()
    (tmp_path / "mounts").write_text(f"cgroup2 {tmp_path}/cgroups cgroup2 rw 0 0\n")
    monkeypatch.setattr(cgroups, "_MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(cable, "_LOCK", tmp_path)
    program = tmp_path / "ip"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in -json) cat {tmp_path}/links;; *) echo "$@" >> {tmp_path}/told;; esac\n'
    )
    program.chmod(0o755)
    links(tmp_path)
    return tmp_path


def links(machine: Path, **addresses: str) -> None:
    found = [{"ifname": name.replace("_", "-"), "addr_info": [{"local": local}]} for name, local in addresses.items()]
    (machine / "links").write_text(json.dumps(found))


def number(machine: Path) -> int:
    with cable.numbering(machine / "node", environment(machine)) as place:
        return place.number


def environment(machine: Path) -> dict[str, str]:
    return {"PATH": f"{machine}:/usr/bin:/bin"}


def test_the_first_number_is_taken_that_no_link_and_no_address_has(machine: Path) -> None:
    assert number(machine) == 1
    links(machine, aiop_1="192.0.2.1", eth0="10.201.2.7", aiop_x="192.0.2.2")
    assert number(machine) == 3


def test_a_killed_node_keeps_its_number_until_it_is_stopped(machine: Path) -> None:
    (machine / "cgroups" / "aiop-1").mkdir()
    assert number(machine) == 2
    cgroups.remove("aiop-1")
    assert number(machine) == 1


def test_a_machine_without_a_free_number_is_told(machine: Path) -> None:
    for taken in range(1, 251):
        (machine / "cgroups" / f"aiop-{taken}").mkdir()
    with pytest.raises(NodeFailed, match=r"no free network 10\.201\.N\.0/30"):
        number(machine)


def test_the_cable_is_laid_by_the_program_that_the_node_brings(machine: Path) -> None:
    cable.connect(Place(machine, 7), 42, environment(machine))
    cable.disconnect(Place(machine, 7), environment(machine))
    told = (machine / "told").read_text().splitlines()
    assert told[0] == "link add aiop-7 type veth peer name node netns 42"
    assert told[-1] == "link delete aiop-7"


def test_a_machine_without_the_program_fails_in_words_and_has_no_cable_to_take_away(machine: Path) -> None:
    nowhere = {"PATH": str(machine / "cgroups")}
    with pytest.raises(NodeFailed, match="ip link add aiop-7"):
        cable.connect(Place(machine, 7), 42, nowhere)
    cable.disconnect(Place(machine, 7), nowhere)
    assert not (machine / "told").exists()
