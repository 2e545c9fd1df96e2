"""Full disks: their detection, and their translation to DiskFull."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from tunesmith.errors import DiskFull

FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException) -> bool:
    """Tell whether an error means that the disk or the user's quota is full."""
    return isinstance(error, OSError) and error.errno in FULL


@contextmanager
def disk_full_as_error(what: str) -> Iterator[None]:
    """Turn the error of a full disk into DiskFull, which names ``what`` could not be kept, but no path."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(f"the disk is full: {what} could not be stored") from error
        raise
