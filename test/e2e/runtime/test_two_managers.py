"""Two managers, each on a network of its own that delays, drops, doubles and holds what is sent: who lost does no harm.

A request may arrive long after its sender lost the lease. From the audit log, with the answers' versions: whatever a
process wrote while another held the lease was refused, changed nothing, or was as new as what it replaced.
"""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.auditstory import Reign, Write, before, read_story
from support.faults import delays, duplicates, is_write, loses_answer
from support.faultyproxy import FaultyProxy
from support.kubectl import eventually
from support.operator import running
from support.storms import QUICK_LEASE, Sea, SmallOperator

pytestmark = pytest.mark.real

OBJECTS = 20
CHANGES = 240
SECONDS = 40.0
# Longer than a lease of three seconds, so that whoever is held loses it.
STALL_SECONDS = 6.0


@pytest.fixture
def managers(own_sea: Sea, tmp_path: Path) -> Iterator[dict[str, FaultyProxy]]:
    """Two of them at work, and the proxy of each."""
    with ExitStack() as stack:
        proxies = {}
        for number, name in enumerate(("first", "second")):
            proxy = stack.enter_context(FaultyProxy(own_sea.cluster, tmp_path / name, seed=number))
            kubeconfig = proxy.kubeconfig(own_sea.token(name))
            options = ["--namespace", own_sea.namespace, "--lease", f"{own_sea.namespace}/operator"]
            options += ["--lease-times", QUICK_LEASE, "--idle-seconds", "5", "--identity", name]
            operator = stack.enter_context(running(SmallOperator(kubeconfig, tmp_path / f"{name}.log", *options)))
            operator.start()
            proxies[name] = proxy
        yield proxies


@contextmanager
def bad_network(proxy: FaultyProxy) -> Iterator[None]:
    with (
        proxy.befalls(delays(0.0, 0.5), share=0.3),
        proxy.befalls(delays(3.0, 8.0), is_write, share=0.05),
        proxy.befalls(delays(0.0, 3.0, back=True), share=0.05),
        proxy.befalls(duplicates(0.5, 6.0), is_write, share=0.1),
        proxy.befalls(loses_answer(), is_write, share=0.05),
    ):
        yield


def test_whoever_lost_the_lease_does_no_harm(own_sea: Sea, managers: dict[str, FaultyProxy]) -> None:
    for number in range(OBJECTS):
        own_sea.make(f"s{number}")
    own_sea.converges()
    with ExitStack() as stack:
        for proxy in managers.values():
            stack.enter_context(bad_network(proxy))
        _change_and_stall(own_sea, list(managers.values()))
    eventually(lambda: not any(proxy.under_way for proxy in managers.values()))
    own_sea.converges()
    own_sea.stays_quiet("first", "second")

    story = read_story(own_sea.plane.audit_log, own_sea.namespace)
    reign = Reign(story, "operator")
    assert len(reign.terms) > 4, reign.terms
    # Refused or not: that one is done although it is late is chance, and a run without it is as good.
    without_lease = [each for each in story if _was_without_lease(each, story, reign)]
    assert without_lease, "nobody wrote without the lease: the network was not bad enough to test anything"
    assert [str(each) for each in without_lease if each.done and _undoes(each, story)] == []


def _change_and_stall(sea: Sea, proxies: list[FaultyProxy]) -> None:
    """Changes all the while; time and again one of the two networks holds everything."""
    dice = random.Random(7)
    began, stalls = time.monotonic(), 0
    with ExitStack() as stalled:
        for number in range(CHANGES):
            sea.change(f"s{dice.randrange(OBJECTS)}", text=f"t{number}", wanted=dice.random() < 0.8)
            if time.monotonic() - began > stalls * STALL_SECONDS:
                stalled.close()
                stalled.enter_context(proxies[stalls % 2].stalled())
                stalls += 1
            time.sleep(SECONDS / CHANGES)  # the pace of the changes


def _was_without_lease(write: Write, story: list[Write], reign: Reign) -> bool:
    """Asked for by one of the two while the other, or nobody, held the lease."""
    if write.resource == "leases" or not write.user.startswith("system:serviceaccount:sea:"):
        return False
    version = write.version or max(each.version for each in story if each.answered < write.received)
    return write.user.rpartition(":")[2] != reign.holder(version)


def _undoes(write: Write, story: list[Write]) -> bool:
    """An object becomes older than it was, or goes although it is newer than any word that it is not wanted.

    A creation cannot: its only precondition is that nobody has the name. One that comes late is seen, and put right by
    whoever leads.
    """
    if write.verb == "create":
        return False
    if write.verb == "delete":
        gone = before(story, write, "configmaps")
        return gone is not None and int(gone.after["data"]["generation"]) > _last_unwanted(write, story)
    replaced = before(story, write, write.resource.partition("/")[0])
    return replaced is not None and _is_older(write, replaced)


def _is_older(one: Write, other: Write) -> bool:
    same = one.after["metadata"]["uid"] == other.after["metadata"]["uid"]
    if one.resource == "configmaps":
        return same and int(one.after["data"]["generation"]) < int(other.after["data"]["generation"])
    return same and _observed(one) < _observed(other)


def _last_unwanted(deletion: Write, story: list[Write]) -> int:
    """The last generation of the Storm, before its ConfigMap was deleted, that wanted none."""
    known = [each for each in story if each.resource == "storms" and each.name == deletion.name and each.version]
    said = [each.after for each in known if each.answered < deletion.received]
    return max((each["metadata"]["generation"] for each in said if not each["spec"]["wanted"]), default=0)


def _observed(storm: Write) -> int:
    return int(storm.after.get("status", {}).get("observedGeneration", 0))
