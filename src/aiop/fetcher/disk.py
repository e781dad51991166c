"""What goes wrong when writing, in words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from aiop.fetcher.errors import Failed, FetchError, NoSpace, TooLarge


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turns an OSError of the block into NoSpace, TooLarge or Failed."""
    try:
        yield
    except OSError as error:
        raise disk_failure(error) from error


def disk_failure(error: OSError) -> FetchError:
    """What ``error``, met while writing or reading the folder, means to a person."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return NoSpace("The volume is full; give the model's volume more room.")
    if error.errno == errno.EFBIG:
        return TooLarge("The source sends a file that is larger than it said.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Failed("The model's folder cannot be written; check the volume and the pod's fsGroup.")
    return Failed(f"The model's folder cannot be used ({errno.errorcode.get(error.errno or 0, 'no number')}).")
