"""Names of children: derived, injective, and at most 63 characters of a DNS-1035 label."""

import hashlib

# A Service's name is a DNS label.
_LONGEST = 63
_DIGEST = 8

WORKLOAD_LABEL = "geartickler.com/aiworkload"
REVISION_LABEL = "geartickler.com/revision"
# On a ControllerRevision, whose data cannot change: the spec that asked for it last.
ASKED_ANNOTATION = "geartickler.com/asked"
# On a ControllerRevision too: the amounts that its servers were given while they ran, those that they may have
# meanwhile, and why it has servers of its own though nothing but amounts is another.
AMOUNTS_ANNOTATION = "geartickler.com/amounts"
GIVEN_ANNOTATION = "geartickler.com/amounts-given"
RESTART_ANNOTATION = "geartickler.com/restart"
# On the Deployments of a rollout: which way it takes, so that another process goes on with it.
ROLLOUT_ANNOTATION = "geartickler.com/rollout"
MANAGED_BY = {"app.kubernetes.io/managed-by": "aiop"}
FIELD_MANAGER = "aiop/serving"


def revision_name(workload: str, revision: str) -> str:
    """The name of a revision's children: workload and revision; a long workload name keeps a hash of its own.

    A name that gets a hash is longer than any that gets none, so the two can never meet.
    """
    room = _LONGEST - len(revision) - 1
    if len(workload) >= room - _DIGEST:
        digest = hashlib.sha256(workload.encode()).hexdigest()[:_DIGEST]
        workload = f"{workload[: room - _DIGEST - 1]}-{digest}"
    return f"{workload}-{revision}"


def workload_labels(workload: str) -> dict[str, str]:
    """What every child of a workload carries."""
    return {**MANAGED_BY, "app.kubernetes.io/name": workload, WORKLOAD_LABEL: workload}


def revision_labels(workload: str, revision: str) -> dict[str, str]:
    """What the children of one revision carry."""
    return {**workload_labels(workload), REVISION_LABEL: revision}


def pod_selector(workload: str) -> dict[str, str]:
    """All pods of a workload, whatever their revision."""
    return {WORKLOAD_LABEL: workload}
