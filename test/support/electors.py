"""One elector, asked and answered by hand."""

import msgspec

from aiop.runtime.leaderelection.elector import Elector, LeaseTimes, StepDown, Wait, Write
from aiop.runtime.leaderelection.record import LeaseRecord

TIMES = LeaseTimes()
FOREIGN = LeaseRecord("other", 15.0, "t0", "t1", 4, "100", "u1")


def decide(elector: Elector, now: float, heartbeat_age: float = 0.0) -> Wait | Write | StepDown:
    return elector.decide(now, stamp=f"stamp-{now:g}", heartbeat_age=heartbeat_age)


def leader(at: float = 0.0) -> Elector:
    elector = Elector("me", TIMES)
    elector.observe(None, at)
    write(elector, at)
    return elector


def write(elector: Elector, at: float, took: float = 0.0) -> LeaseRecord:
    """Do the write that the elector wants at that time."""
    action = decide(elector, at)
    assert isinstance(action, Write)
    known = elector._record
    version = str(int(known.version) + 1) if known and known.version else "200"
    stored = msgspec.structs.replace(action.record, version=version)
    elector.succeeded(stored, at, at + took)
    return stored
