"""How a new version takes the old one's place."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from aiop.api.common import Stored, rule, rules


class Rollout(Stored):
    """Server by server; without numbers the operator surges where there is room and gives way where there is none."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.maxSurge) || self.maxSurge > 0 || !has(self.maxUnavailable) || self.maxUnavailable > 0",
                "maxSurge and maxUnavailable cannot both be 0: no server could ever be replaced",
                field=".maxUnavailable",
            )
        )
    )

    strategy: Literal["RollingUpdate"] = Field(default="RollingUpdate", description="Server by server.")
    max_surge: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None,
        description="Servers above the wanted number while rolling; if unset a quarter, at least one, or with an "
        "autoscaler as many as it wants. 0: an old server goes first, also where it is the only one.",
    )
    max_unavailable: Annotated[int, Field(ge=0, le=1000)] | None = Field(
        default=None,
        description="Servers below the wanted number while rolling. If unset: none while there is room for another "
        "one, and one, but never the last, once the scheduler or a quota has left none for a minute.",
    )
    resize: Literal["InPlace", "Replace"] = Field(
        default="InPlace",
        description="When cpu or memory in spec.resources is all that changes. InPlace: servers get it while they run, "
        "where the cluster can do that (Kubernetes 1.33 and newer); their shared memory keeps its size. Progressing "
        "says why where they are replaced instead. Replace: new servers take the old ones' place, for a server that "
        "reads its limits only as it starts.",
    )
    progress_deadline_seconds: Annotated[int, Field(ge=60, le=86400)] = Field(
        default=600, description="Without progress for so long the rollout counts as stuck; it goes on all the same."
    )
