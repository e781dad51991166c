"""The numbers of a quota as they are now; those in a refusal are as old as the refusal."""

import re
from dataclasses import replace

from aiop.cli.explain.explanation import Finding
from aiop.cli.explain.workload.evidence import Evidence

_EXCEEDED = re.compile(r"exceeded quota: (?P<quota>[^,\s]{1,253}), requested: (?P<asked>[^ ]{1,1000})")
# Of a quota that counts everything the first few say enough.
_SHOWN = 4


def exceeded(evidence: Evidence, found: Finding) -> Finding:
    """With what the quota allows and what is used of it, if it is a quota that was exceeded and it may be read."""
    told = _EXCEEDED.search(found.message)
    quota = next((each for each in evidence.quotas if told and each.metadata.name == told["quota"]), None)
    if told is None or quota is None:
        return found
    asked = [part.split("=")[0] for part in told["asked"].split(",") if "=" in part][:_SHOWN]
    used = {
        name: f"{quota.status.used.get(name, '0')} of {quota.status.hard[name]}"
        for name in asked
        if name in quota.status.hard
    }
    if not used:
        return found
    now = ", ".join(f"{amount} {name}" for name, amount in used.items())
    numbers = {f"used {name}": amount for name, amount in used.items()}
    return replace(found, message=f"{found.message}; used now: {now}", numbers={**found.numbers, **numbers})
