"""Full disks: how they show, and the one error that says so."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from tunesmith.errors import DiskFull

FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException) -> bool:
    """Tell whether the system says that the disk, or what its user may have of it, is full."""
    return isinstance(error, OSError) and error.errno in FULL


@contextmanager
def disk_full_as_error(what: str) -> Iterator[None]:
    """Turn a full disk into DiskFull, which says what could not be kept but not where."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"the disk is full: {what} could not be kept") from error
        raise
