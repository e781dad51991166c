"""When a probe's results change what is believed of a container."""

from dataclasses import dataclass

from aiop.sim.cluster.api import Object


@dataclass(slots=True)
class Thresholds:
    """Counts equal results in a row, as ``successThreshold`` and ``failureThreshold`` want them."""

    success: int
    failure: int
    _last: bool | None = None
    _run: int = 0

    @classmethod
    def of(cls, probe: Object) -> "Thresholds":
        """Those of the probe, or the API's defaults."""
        return cls(int(probe.get("successThreshold") or 1), int(probe.get("failureThreshold") or 3))

    def after(self, succeeded: bool) -> bool | None:
        """What holds after this result; None: what held before."""
        self._run = self._run + 1 if self._last is succeeded else 1
        self._last = succeeded
        enough = self.success if succeeded else self.failure
        return succeeded if self._run >= enough else None
