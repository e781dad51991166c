"""The arithmetic of what is measured on a real node; what comes out of it is nobody's promise."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hack.bench import footprint, startup, takeover
from hack.bench.spread import middle, spread
from hack.bench.usage import NoAccount, Usage, usage
from support.replicas import LEASE, Write

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = "aiop-old_1", "aiop-new_2"


def write(resource: str, second: float, *, pod: str = "aiop-new", holder: str = "", code: int = 200) -> Write:
    moment = BEGAN + timedelta(seconds=second)
    name = LEASE if resource == "leases" else "any"
    return Write(pod, "update", resource, name, code, moment, moment + timedelta(seconds=0.25), holder)


def test_the_middle_and_the_range_are_told_of_several_measurements() -> None:
    assert middle([3.0, 1.0, 2.0]) == 2.0
    assert middle([4.0, 1.0, 2.0, 3.0]) == 2.5
    assert spread([3.0, 1.256, 2.0], "s") == "median of 3 (1.26 to 3.00 s)"


def test_a_leader_that_is_killed_counts_as_gone_from_the_kill_on() -> None:
    story = [
        write("leases", -1, pod="aiop-old", holder=OLD),
        write("ingresses", 15, code=409),
        write("leases", 14, holder=NEW, code=409),
        write("leases", 15, holder=NEW),
        write("ingresses", 16),
        write("ingresses", 17),
    ]
    assert takeover.takeover(story, BEGAN, OLD, NEW) == takeover.Takeover(leaderless=15.25, work=16.25)


def test_a_leader_that_goes_in_good_order_leads_until_it_lets_go_of_the_lease() -> None:
    story = [
        write("leases", -9, pod="aiop-old", holder=""),
        write("ingresses", 0.5, pod="aiop-old"),
        write("leases", 1, pod="aiop-old", holder=""),
        write("leases", 1.5, holder=NEW),
        write("ingresses", 2),
        write("leases", 60, holder=""),
    ]
    assert takeover.takeover(story, BEGAN, OLD, NEW) == takeover.Takeover(leaderless=0.5, work=2.25)


@pytest.mark.parametrize("story", [[], [write("leases", 1, holder=NEW)], [write("ingresses", 1)]])
def test_a_takeover_that_the_log_does_not_show_is_not_measured(story: list[Write]) -> None:
    with pytest.raises(takeover.NoTakeover, match="aiop-new_2 has not taken over from aiop-old_1"):
        takeover.takeover(story, BEGAN, OLD, NEW)


def test_the_slowest_takeover_is_the_figure_and_the_goal_is_of_the_killed() -> None:
    fast, slow = takeover.Takeover(0.25, 0.5), takeover.Takeover(15.5, 16.75)
    clean, killed = takeover.figures_of([fast, fast], [fast, slow])
    assert (clean.value, clean.goal) == (0.25, None)
    assert (killed.value, killed.goal) == (15.5, 16.0)
    assert "slowest of 0.25, 15.50 s, median 7.88 s" in killed.how
    assert "16.75 s or less" in killed.how


def test_processor_time_is_of_a_minute_however_long_was_measured() -> None:
    cpu, memory = footprint.figures_of("idle", Usage(10.0, 1), Usage(10.5, 64 * 1024 * 1024), 30.0)
    assert (cpu.value, cpu.unit) == (1.0, "s a minute")
    assert (memory.value, memory.unit) == (64.0, "MiB")


def test_ours_is_held_against_a_plain_deployment_by_the_medians() -> None:
    ours, plain, more = startup.figures_of([5.0, 2.0, 3.0], [1.0, 9.0, 2.5])
    assert (ours.value, plain.value, more.value, more.goal) == (3.0, 2.5, 0.5, 1.0)
    assert ours.how.endswith("median of 3 (2.00 to 5.00 s)")


def test_usage_is_read_from_the_hierarchies_of_version_1(tmp_path: Path) -> None:
    cpu, memory, other = (tmp_path / name for name in ("cpuacct", "memory", "pids"))
    for folder in (cpu, memory, other):
        folder.mkdir()
    (cpu / "cpuacct.usage").write_text("2500000000\n")
    (memory / "memory.usage_in_bytes").write_text("1000\n")
    (memory / "memory.stat").write_text("inactive_file 1\ntotal_inactive_file 400\n")
    assert usage([other, memory, cpu]) == Usage(2.5, 600)


def test_usage_is_read_from_the_one_hierarchy_of_version_2(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 300\n")
    assert usage([tmp_path]) == Usage(1.5, 700)


@pytest.mark.parametrize(("file", "missing"), [("memory.current", "processor time"), ("cpuacct.usage", "memory")])
def test_a_pod_without_an_account_is_not_measured(tmp_path: Path, file: str, missing: str) -> None:
    (tmp_path / file).write_text("1\n")
    (tmp_path / "memory.stat").write_text("")
    with pytest.raises(NoAccount, match=missing):
        usage([tmp_path])


def test_the_plain_one_has_the_same_pod_and_nothing_that_names_the_first_or_its_owner() -> None:
    pod = {"containers": [{"image": "light", "command": ["serve"]}]}
    labels, annotations = {"aiop": "first"}, {"router": "strip"}
    metadata = {
        "name": "first",
        "uid": "1",
        "labels": labels,
        "annotations": annotations,
        "ownerReferences": [{"name": "first"}],
    }
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"clusterIP": "10.0.0.1", "selector": labels, "ports": [{"port": 80}]},
    }
    path = {"path": "/api", "backend": {"service": {"name": "first"}}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata,
        "spec": {"rules": [{"host": "first.bench.test", "http": {"paths": [path]}}]},
    }
    made = [startup.plainly(each, "plain-1") for each in (deployment, service, ingress)]
    assert [each["metadata"]["name"] for each in made] == ["plain-1"] * 3
    assert [each["metadata"]["annotations"] for each in made] == [{}, {}, annotations]
    assert "first" not in str(made)
    assert made[0]["spec"]["template"] == {"metadata": {"labels": {"app": "plain-1"}}, "spec": pod}
    assert made[1]["spec"] == {"selector": {"app": "plain-1"}, "ports": [{"port": 80}]}
    assert made[2]["spec"]["rules"][0]["host"] == "plain-1.bench.test"
    assert deployment["spec"]["selector"] == {"matchLabels": {"aiop": "first"}}  # type: ignore[index]
