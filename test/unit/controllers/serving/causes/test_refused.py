"""Pods that the API server will not have, in the words of the real one (1.37)."""

import pytest

from aiop.controllers.serving.causes.refused import refusal_kind
from support.pods import cause_of, refusing, waiting

HEAD = 'pods "demo-5d9c-x7x2p" is forbidden: '
WORDS = {
    "QuotaExceeded": HEAD + "exceeded quota: gpus, requested: pods=1, used: pods=2, limited: pods=2",
    "QuotaWantsAmounts": HEAD + "failed quota: compute: must specify limits.cpu for: server",
    "LimitRangeBroken": HEAD
    + "[maximum cpu usage per Container is 1, but limit is 2, minimum memory usage per Pod is 1Gi]",
    "PodSecurityRefused": HEAD + 'violates PodSecurity "restricted:latest": privileged (container "server" must not …)',
    "MissingPriorityClass": HEAD + "no PriorityClass with name urgent was found",
    "MissingServiceAccount": HEAD + 'error looking up service account a/robot: serviceaccount "robot" not found',
    "AdmissionDenied": 'admission webhook "policy.example" denied the request: no such registry',
    "AdmissionFailed": 'Internal error occurred: failed calling webhook "policy.example": dial tcp: refused',
    "NamespaceTerminating": HEAD + "unable to create new content in namespace a because it is being terminated",
}
REFUSED = sorted(WORDS)


@pytest.mark.parametrize("reason", REFUSED)
def test_each_refusal_has_a_reason_of_its_own_with_words_and_numbers(reason: str) -> None:
    found = cause_of(sets=[refusing(WORDS[reason])], desired=3)
    assert found.reason == reason
    assert found.message.startswith("3 of 3 pods cannot be created: ")
    assert WORDS[reason].removeprefix(HEAD) in found.message


def test_a_pods_random_name_is_left_out_so_that_each_try_says_the_same() -> None:
    assert "x7x2p" not in cause_of(sets=[refusing(WORDS["QuotaExceeded"])], desired=1).message


def test_a_policy_and_a_missing_right_are_told_apart() -> None:
    policy = "deployments.apps \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"
    right = 'services is forbidden: User "system:serviceaccount:aiop-system:aiop" cannot create resource "services"'
    kinds = [refusal_kind(words) for words in (policy, right)]
    assert [each and each.reason for each in kinds] == ["AdmissionDenied", "RightMissing"]


def test_an_unknown_refusal_is_told_in_the_servers_words() -> None:
    found = cause_of(sets=[refusing("the moon is full")], desired=2)
    assert (found.reason, found.message) == ("PodsRefused", "2 of 2 pods cannot be created: the moon is full")


def test_a_refusal_that_is_over_is_not_told() -> None:
    assert cause_of(waiting("ErrImagePull"), sets=[refusing(WORDS["QuotaExceeded"])]).reason == "ImagePullFailed"


def test_a_mebibyte_of_words_is_cut() -> None:
    assert len(cause_of(sets=[refusing("denied " * 150_000)], desired=1).message) < 1000
