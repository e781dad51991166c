"""Pods and other objects that the API server will not have: who says no, and what to do about it."""

import re

from aiop.controllers.serving.causes.cause import Case, Cause, Kind, advised, kind_of, known_by
from aiop.controllers.serving.words import one_line

# In the API server's own words, which are those of its admission plugins.
_KINDS = (
    known_by(
        "QuotaExceeded", r"exceeded quota: ", "ask for less in spec.resources or spec.replicas, or raise the quota"
    ),
    known_by("QuotaWantsAmounts", r"failed quota: \S+ must specify ", "add what it names to spec.resources"),
    known_by(
        "LimitRangeBroken",
        r"(minimum|maximum) \S+ usage per \S+ is |max limit to request ratio per \S+ is ",
        "keep spec.resources within the namespace's LimitRange",
    ),
    known_by(
        "PodSecurityRefused",
        r'violates PodSecurity "',
        "aiop's own pods meet the restricted level: see what else changes them, such as a mutating webhook",
    ),
    known_by(
        "MissingPriorityClass", r"no PriorityClass with name ", "correct spec.priorityClassName, or create the class"
    ),
    known_by(
        "MissingServiceAccount",
        r"error looking up service account ",
        "correct spec.serviceAccountName, or create the ServiceAccount in this namespace",
    ),
    known_by(
        "AdmissionDenied",
        r'admission webhook "|ValidatingAdmissionPolicy \'',
        "change what the policy names, or speak with whoever wrote it",
    ),
    known_by("AdmissionFailed", r"failed calling webhook ", "the webhook itself is broken: speak with whoever runs it"),
    known_by("NamespaceTerminating", r"because it is being terminated", "the namespace goes away, and this with it"),
    known_by(
        "RightMissing",
        r'User "[^"]{1,253}" cannot ',
        "compare the operator's roles with those of its chart, and its watchNamespaces with this namespace",
    ),
)
# A pod's name is another one at every try.
_HEAD = re.compile(r'^pods "[^"]{0,253}" is forbidden: ')


def refusal_kind(words: str) -> Kind | None:
    """Who refuses, as far as that is known."""
    return kind_of(words, _KINDS)


def refused(case: Case) -> Cause | None:
    """Pods that are missing because none can be made."""
    words = _words(case)
    if not words or len(case.pods) >= case.desired:
        return None
    found = refusal_kind(words)
    told = f"{case.counted(case.desired - len(case.pods))} cannot be created: {one_line(_HEAD.sub('', words))}"
    return advised(found.reason, told, found.fix) if found is not None else Cause("PodsRefused", told)


def _words(case: Case) -> str:
    conditions = (each for found in case.replica_sets for each in found.status.conditions)
    return next((each.message for each in conditions if each.type == "ReplicaFailure" and each.status == "True"), "")
