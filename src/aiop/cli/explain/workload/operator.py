"""Whether the operator runs, as far as the caller may see: by its Lease."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiop.cli.explain.explanation import Source
from aiop.cli.explain.rendering import in_words
from aiop.cli.explain.workload.evidence import Evidence
from aiop.cli.explain.workload.views import Lease
from aiop.runtime.kit.moments import moment_of

# Twice the operator's own lease: a follower has long taken over by then, if there is one.
_LONGEST_SECONDS = 30.0
_FIX = "see whether the operator's pods run, and their log: `kubectl -n {namespace} get pods`"


@dataclass(frozen=True, slots=True)
class Pulse:
    """``alive`` is None where the Lease may not be read; ``words`` are empty then."""

    alive: bool | None = None
    words: str = ""
    source: Source | None = None
    namespace: str = ""
    age: float | None = None

    @property
    def fix(self) -> str:
        """What to do about one that does not run."""
        return _FIX.format(namespace=self.namespace or "OPERATOR-NAMESPACE") if self.alive is not True else ""

    def as_json(self, evidence: Evidence) -> dict[str, Any]:
        """For machines."""
        return {
            "alive": self.alive,
            "leaseAgeSeconds": round(self.age) if self.age is not None else None,
            "observedGeneration": evidence.observed_generation,
            "seen": evidence.seen,
        }


def pulse_of(evidence: Evidence) -> Pulse:
    """By the Lease that was renewed last."""
    if evidence.leases is None:
        return Pulse()
    if not evidence.leases:
        return Pulse(
            alive=None, words="there is no Lease of an operator: it never ran here, or runs without leader election"
        )
    newest = max(evidence.leases, key=lambda each: each.spec.renew_time)
    source = Source("Lease", newest.metadata.name, "spec.renewTime")
    age = _age(newest, evidence.now)
    words = _words(newest, age)
    return Pulse(not words, words, source, newest.metadata.namespace, age)


def _age(lease: Lease, now: datetime) -> float | None:
    renewed = moment_of(lease.spec.renew_time)
    return (now - renewed).total_seconds() if renewed is not None else None


def _words(lease: Lease, age: float | None) -> str:
    """Why nobody leads; empty if somebody does."""
    if not lease.spec.holder_identity or age is None:
        return "no replica of the operator holds its Lease, so none leads"
    if age > _LONGEST_SECONDS:
        return f"the operator is down: its Lease has not been renewed for {in_words(age)}"
    return ""
