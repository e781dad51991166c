"""Pods without a node, in the words of the real scheduler (1.37)."""

import pytest

from support.pods import cause_of, pod, unscheduled

NODES = "0/2 nodes are available: "
PREEMPTION = " preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (f'{NODES}persistentvolumeclaim "models" not found.{PREEMPTION}', "MissingClaim"),
        (f'{NODES}persistentvolumeclaim "models" is being deleted.{PREEMPTION}', "ClaimTerminating"),
        (f"{NODES}pod has unbound immediate PersistentVolumeClaims.{PREEMPTION}", "ClaimNotBound"),
        (f"{NODES}2 node(s) didn't find available persistent volumes to bind.{PREEMPTION}", "ClaimNotBound"),
        (f'{NODES}persistentvolumeclaim "models" bound to non-existent persistentvolume "pv".', "ClaimNotBound"),
        (f"{NODES}2 Insufficient nvidia.com/gpu.{PREEMPTION}", "Unschedulable"),
        (f"{NODES}2 node(s) didn't match Pod's node affinity/selector.{PREEMPTION}", "Unschedulable"),
        ("no nodes available to schedule pods", "Unschedulable"),
    ],
)
def test_each_cause_is_told_in_the_schedulers_own_words(words: str, reason: str) -> None:
    found = cause_of(unscheduled(words), pod(), desired=2)
    assert found.reason == reason
    assert found.message.startswith(f"1 of 2 pods cannot be scheduled: {words.rstrip('.')}; ")


def test_of_two_pods_the_one_whose_cause_is_known_better_is_told() -> None:
    words = f'{NODES}persistentvolumeclaim "models" not found'
    found = cause_of(unscheduled("no nodes available to schedule pods"), unscheduled(words))
    assert found.reason == "MissingClaim"
    assert "2 of 2 pods" in found.message
