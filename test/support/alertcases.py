"""For each alert, series under which it fires and under which it is quiet again, for promtool."""

from collections.abc import Mapping
from dataclasses import dataclass, field

OPERATOR = 'job="aiop",instance="a",namespace="aiop-system"'
ANOTHER = 'job="aiop",instance="b",namespace="aiop-system"'
STRANGER = 'job="other",instance="c",namespace="elsewhere"'
BUILD = f'aiop_build_info{{{OPERATOR},version="0.1.0"}}'
SERVING = f'{OPERATOR},controller="serving"'
QUEUE = f'{SERVING},name="serving"'
WORKLOAD = f'{OPERATOR},name="bert"'.replace("aiop-system", "team")


@dataclass(frozen=True, slots=True)
class AlertCase:
    """``series`` have a value a minute. ``labels`` and ``value`` are those of the alert that fires, as it is shown.

    It fires at ``fires`` and is quiet at each of ``quiet``, all of them minutes.
    """

    alert: str
    series: Mapping[str, str]
    fires: int
    quiet: tuple[int, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    value: str = ""


def always(value: float, minutes: int = 1200) -> str:
    """The same value all the time."""
    return f"{value}+0x{minutes}"


def then(*spans: tuple[float, int]) -> str:
    """Each value for so many minutes."""
    return " ".join(f"{value}+0x{minutes - 1}" for value, minutes in spans)


def growing(*spans: tuple[float, int]) -> str:
    """A counter that grows by so much a minute, for so many minutes."""
    words, total = [], 0.0
    for step, minutes in spans:
        words.append(f"{total}+{step}x{minutes - 1}")
        total += step * minutes
    return " ".join(words)


def condition(kind: str, *spans: tuple[float, int]) -> dict[str, str]:
    """A condition that is 1 or 0 for so long, and since when."""
    since, moments = 0, []
    for _, minutes in spans:
        moments.append((float(since * 60), minutes))
        since += minutes
    return {
        f'aiop_workload_condition{{{WORKLOAD},type="{kind}"}}': then(*spans),
        f'aiop_workload_condition_transition_timestamp_seconds{{{WORKLOAD},type="{kind}"}}': then(*moments),
    }


def reason(kind: str, name: str, begins: int, ends: int) -> dict[str, str]:
    """A reason that a condition has from one minute to another."""
    return {f'aiop_workload_condition_reason{{{WORKLOAD},type="{kind}",reason="{name}"}}': span(1, begins, ends)}


def span(value: float, begins: int, ends: int) -> str:
    """A series that is there from one minute to another."""
    return f"_x{begins} {value}+0x{ends - begins - 1} stale"


_HERE = {"namespace": "aiop-system"}
_CONTROLLER = {**_HERE, "controller": "serving"}
_INSTANCE = {"job": "aiop", "instance": "a", "namespace": "aiop-system"}
# What tells the operator's targets from others'; each test has that of the first replica.
_SECOND = {BUILD.replace(OPERATOR, ANOTHER): always(1)}
_BERT = {"namespace": "team", "name": "bert"}

OPERATOR_CASES = (
    AlertCase("AiopOperatorDown", {BUILD: "1+0x9 stale _x19 1+0x30"}, fires=18, quiet=(5, 14, 40)),
    AlertCase(
        "AiopReplicaDown",
        {
            f"up{{{OPERATOR}}}": then((1, 10), (0, 20), (1, 30)),
            BUILD: "1+0x9 stale _x19 1+0x30",
            # A pod that went with its target, and a stranger.
            f"up{{{ANOTHER}}}": "1+0x9 stale",
            f"up{{{STRANGER}}}": always(0),
        },
        fires=25,
        quiet=(5, 15, 40),
        labels=_INSTANCE,
    ),
    AlertCase(
        "AiopNoLeader",
        {
            **_SECOND,
            f'leader_election_master_status{{{OPERATOR},name="aiop-manager"}}': then((1, 10), (0, 10), (1, 20)),
            f'leader_election_master_status{{{ANOTHER},name="aiop-manager"}}': always(0),
            f'leader_election_master_status{{{STRANGER},name="other-manager"}}': always(0),
        },
        fires=15,
        quiet=(5, 11, 25),
        labels={**_HERE, "name": "aiop-manager"},
    ),
    # Of a release that sees to some namespaces alone, beside another one that leads.
    AlertCase(
        "AiopNoLeader",
        {
            **_SECOND,
            f'leader_election_master_status{{{OPERATOR},name="team-a"}}': then((1, 10), (0, 10), (1, 20)),
            f'leader_election_master_status{{{ANOTHER},name="team-b"}}': always(1),
        },
        fires=15,
        quiet=(5, 11, 25),
        labels={**_HERE, "name": "team-a"},
    ),
    AlertCase(
        "AiopTwoLeaders",
        {
            **_SECOND,
            f'leader_election_master_status{{{OPERATOR},name="aiop-manager"}}': always(1),
            f'leader_election_master_status{{{ANOTHER},name="aiop-manager"}}': then((0, 10), (1, 10), (0, 20)),
            f'leader_election_master_status{{{STRANGER},name="other-manager"}}': always(3),
        },
        fires=15,
        quiet=(5, 12, 25),
        labels={**_HERE, "name": "aiop-manager"},
        value="2",
    ),
    # Every second pass fails, for an hour.
    AlertCase(
        "AiopPassesFailing",
        {
            f'controller_runtime_reconcile_total{{{SERVING},result="success"}}': growing((60, 480)),
            f'controller_runtime_reconcile_total{{{SERVING},result="error"}}': growing((0, 120), (60, 60), (0, 300)),
            f"controller_runtime_reconcile_errors_total{{{SERVING}}}": growing((0, 120), (60, 60), (0, 300)),
        },
        fires=175,
        quiet=(119, 125, 220, 470),
        labels=_CONTROLLER,
        value="46.49%",
    ),
    # One pass in fifty fails, for ten hours: too few an hour to wake anybody.
    AlertCase(
        "AiopPassesFailingSlowly",
        {
            f'controller_runtime_reconcile_total{{{SERVING},result="success"}}': growing((4.9, 1200)),
            f'controller_runtime_reconcile_total{{{SERVING},result="error"}}': growing((0.1, 600), (0, 600)),
            f"controller_runtime_reconcile_errors_total{{{SERVING}}}": growing((0.1, 600), (0, 600)),
        },
        fires=590,
        quiet=(30, 1000, 1100),
        labels=_CONTROLLER,
        value="2%",
    ),
    AlertCase(
        "AiopPassStuck",
        {f"workqueue_longest_running_processor_seconds{{{QUEUE}}}": "0+60x30 0+0x30"},
        fires=15,
        quiet=(5, 9, 40),
        labels=_CONTROLLER,
        value="15m 0s",
    ),
    AlertCase(
        "AiopQueueNotDrained",
        {
            f'workqueue_depth{{{QUEUE},priority="0"}}': then((0, 10), (7, 40), (0, 20)),
            f'workqueue_depth{{{QUEUE},priority="-100"}}': always(0),
            f'workqueue_depth{{{STRANGER},controller="theirs",name="theirs",priority="0"}}': always(9),
        },
        fires=35,
        quiet=(5, 20, 55),
        labels=_CONTROLLER,
        value="7",
    ),
    AlertCase(
        "AiopCacheStale",
        {
            f'informer_last_activity_timestamp_seconds{{{OPERATOR},informer="pods"}}': "0+60x20 1200+0x30 3060+60x20",
            # A cache that never began.
            f'informer_last_activity_timestamp_seconds{{{OPERATOR},informer="services"}}': always(0),
        },
        fires=40,
        quiet=(10, 29, 60),
        labels={**_INSTANCE, "informer": "pods"},
        value="20m 0s",
    ),
    AlertCase(
        "AiopCacheNotSynced",
        {
            f'informer_synced{{{OPERATOR},informer="pods"}}': then((1, 10), (0, 20), (1, 20)),
            f'informer_synced{{{STRANGER},informer="pods"}}': always(0),
        },
        fires=25,
        quiet=(5, 15, 40),
        labels={**_INSTANCE, "informer": "pods"},
    ),
    AlertCase(
        "AiopWritesWaiting",
        {f"write_lane_waiting{{{OPERATOR}}}": then((0, 10), (3, 40), (0, 20))},
        fires=35,
        quiet=(5, 20, 55),
        labels=_INSTANCE,
        value="3",
    ),
    AlertCase(
        "AiopApiErrors",
        {
            f'rest_client_requests_total{{{OPERATOR},code="200",method="GET",host="h"}}': growing((90, 60)),
            f'rest_client_requests_total{{{OPERATOR},code="503",method="GET",host="h"}}': growing(
                (0, 10), (10, 20), (0, 30)
            ),
            f'rest_client_requests_total{{{STRANGER},code="500",method="GET",host="h"}}': growing((90, 60)),
        },
        fires=28,
        quiet=(5, 15, 45),
        labels=_HERE,
        value="10%",
    ),
    AlertCase(
        "AiopApiThrottled",
        {
            f'rest_client_requests_total{{{OPERATOR},code="429",method="POST",host="h"}}': growing(
                (0, 10), (60, 30), (0, 30)
            ),
            f'rest_client_requests_total{{{STRANGER},code="429",method="POST",host="h"}}': growing((60, 60)),
        },
        fires=35,
        quiet=(5, 20, 55),
        labels=_HERE,
        value="1",
    ),
)

_WANTED = {
    f"aiop_workload_desired_replicas{{{WORKLOAD}}}": always(2),
    f"aiop_workload_created_timestamp_seconds{{{WORKLOAD}}}": always(0),
}
_ACCEPTED = condition("Accepted", (1, 300))

WORKLOAD_CASES = (
    AlertCase(
        "AiopWorkloadUnavailable",
        {**_WANTED, **condition("Available", (0, 20), (1, 10), (0, 20), (1, 20))},
        fires=40,
        quiet=(18, 25, 33, 60),
        labels=_BERT,
        value="2",
    ),
    AlertCase(
        "AiopWorkloadNotReady",
        {**_ACCEPTED, **condition("Ready", (1, 10), (0, 60), (1, 20)), **condition("Progressing", (0, 300))},
        fires=45,
        quiet=(5, 39, 80),
        labels=_BERT,
        value="35m 0s",
    ),
    AlertCase(
        "AiopWorkloadRefused",
        condition("Accepted", (1, 10), (0, 30), (1, 20)),
        fires=30,
        quiet=(5, 24, 45),
        labels=_BERT,
        value="20m 0s",
    ),
    AlertCase(
        "AiopWorkloadDegraded",
        {**condition("Degraded", (0, 10), (1, 30), (0, 20)), **reason("Degraded", "CrashLoop", 10, 40)},
        fires=30,
        quiet=(5, 24, 45),
        labels={**_BERT, "reason": "CrashLoop"},
    ),
    AlertCase(
        "AiopRolloutStuck",
        condition("Progressing", (0, 10), (1, 80), (0, 20)),
        fires=80,
        quiet=(5, 70, 95),
        labels=_BERT,
    ),
    AlertCase(
        "AiopRolloutStuck",
        {
            **condition("Progressing", (1, 10), (0, 50)),
            **reason("Progressing", "ProgressDeadlineExceeded", 10, 30),
        },
        fires=15,
        quiet=(5, 11, 40),
        labels=_BERT,
    ),
    AlertCase(
        "AiopModelFetchFailing",
        reason("Degraded", "ModelFetchFailed", 10, 40),
        fires=25,
        quiet=(5, 15, 45),
        labels=_BERT,
    ),
    AlertCase(
        "AiopAutoscalingInactive",
        {
            f"aiop_workload_autoscaling_max_replicas{{{WORKLOAD}}}": always(5),
            **condition("ScalingActive", (1, 10), (0, 30), (1, 20)),
        },
        fires=30,
        quiet=(5, 20, 45),
        labels=_BERT,
    ),
    AlertCase(
        "AiopAutoscalerAtMaximum",
        {
            f"aiop_workload_autoscaling_min_replicas{{{WORKLOAD}}}": always(1),
            f"aiop_workload_autoscaling_max_replicas{{{WORKLOAD}}}": always(5),
            f"aiop_workload_autoscaling_desired_replicas{{{WORKLOAD}}}": then((4, 10), (5, 100), (4, 20)),
        },
        fires=80,
        quiet=(5, 60, 115),
        labels=_BERT,
        value="5",
    ),
)

# What looks like the fault that an alert tells of, and is none: alert, series, and the minute to look at.
QUIET_CASES: tuple[tuple[str, Mapping[str, str], int], ...] = (
    # Scaled to zero, and a model that never served.
    (
        "AiopWorkloadUnavailable",
        {
            **condition("Available", (1, 10), (0, 60)),
            f"aiop_workload_desired_replicas{{{WORKLOAD}}}": then((2, 10), (0, 60)),
            f"aiop_workload_created_timestamp_seconds{{{WORKLOAD}}}": always(0),
        },
        60,
    ),
    ("AiopWorkloadUnavailable", {**_WANTED, **condition("Available", (0, 70))}, 60),
    # A rollout, and a refused spec, have alerts of their own.
    (
        "AiopWorkloadNotReady",
        {**_ACCEPTED, **condition("Ready", (0, 300)), **condition("Progressing", (1, 300))},
        200,
    ),
    (
        "AiopWorkloadNotReady",
        {**condition("Accepted", (0, 300)), **condition("Ready", (0, 300)), **condition("Progressing", (0, 300))},
        200,
    ),
    (
        "AiopWorkloadDegraded",
        {**condition("Degraded", (1, 300)), **reason("Degraded", "ModelFetchFailed", 0, 300)},
        200,
    ),
    # Nobody asked for autoscaling; and bounds that leave no choice.
    ("AiopAutoscalingInactive", condition("ScalingActive", (0, 300)), 200),
    (
        "AiopAutoscalerAtMaximum",
        {
            f"aiop_workload_autoscaling_min_replicas{{{WORKLOAD}}}": always(5),
            f"aiop_workload_autoscaling_max_replicas{{{WORKLOAD}}}": always(5),
            f"aiop_workload_autoscaling_desired_replicas{{{WORKLOAD}}}": always(5),
        },
        200,
    ),
    # One workload whose passes always fail, on a cluster where nothing else happens: it wakes nobody.
    (
        "AiopPassesFailing",
        {
            f'controller_runtime_reconcile_total{{{SERVING},result="error"}}': growing((0.06, 300)),
            f"controller_runtime_reconcile_errors_total{{{SERVING}}}": growing((0.06, 300)),
        },
        200,
    ),
    # Without any election there is no leader to miss.
    ("AiopNoLeader", {}, 60),
)
