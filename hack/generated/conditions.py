"""The reference of conditions: what each condition says, then every reason with cause and fix."""

from aiop.controllers.serving.reasons import REASONS, Reason

# In the order in which a person reads them.
CONDITIONS = {
    "Accepted": "The spec makes sense, and everything that it names was found.",
    "Progressing": "A rollout is under way; False when none is, or when it is stuck.",
    "Available": "Traffic can be served now, by the new revision or by an older one.",
    "Ready": "This generation is fully rolled out and serves. Never True while a rollout is under way.",
    "EndpointReady": "The address in `status.url` answers.",
    "ScalingActive": "An autoscaler sets the number of servers.",
    "ModelReady": "The servers have the model's files; False while they are fetched, and where they cannot be.",
    "Degraded": "Something is wrong with the servers; the reason names the one cause that blocks.",
    "Reconciling": "There only while True, as kstatus reads it: the operator works towards this generation.",
    "Stalled": "There only while True, as kstatus reads it: nothing goes on until the cause is removed.",
}
_INTRODUCTION = """# Conditions and reasons

`kubectl describe aiworkload NAME` shows the conditions. Each has a status, one reason for machines, and a message
for people with the cause, the numbers and what happens next. A reason never stands for two causes.
"""


def conditions_page() -> str:
    """The whole page."""
    groups = [_condition(name, words) for name, words in CONDITIONS.items()]
    reasons = [_reason(reason) for reason in sorted(REASONS, key=lambda reason: reason.name)]
    return "\n".join([_INTRODUCTION, "## Conditions\n", *groups, "## Reasons\n", *reasons])


def _condition(name: str, words: str) -> str:
    links = [f"[{reason.name}](#{reason.name.lower()})" for reason in REASONS if name in reason.conditions]
    return f"### Condition {name}\n\n{words}\n\nReasons: {', '.join(links)}.\n"


def _reason(reason: Reason) -> str:
    shown = ", ".join(f"`{name}`" for name in reason.conditions)
    fix = f"**What to do:** {reason.fix}\n\n" if reason.fix else ""
    return f"### {reason.name}\n\n{reason.meaning}\n\n{fix}Shown in {shown}.\n"
