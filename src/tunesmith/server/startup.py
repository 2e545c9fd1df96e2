"""Start-up: folders and open files that the server needs, its sockets, and settings that look like mistakes.

An address is bound before anything else starts, with a one-line error if it cannot be.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tunesmith.config import FILE_VARIABLE, misspelt_variables
from tunesmith.errors import DatabaseError, FolderUnavailable, InvalidRequest
from tunesmith.jobs.results import ensure_folder
from tunesmith.library.database import Database

# The default of uvicorn.
BACKLOG = 2048
PROBLEMS: Mapping[int, tuple[str, str]] = {
    errno.EADDRINUSE: (
        "port", "{port} at {host} is in use by another program; stop it, or choose another port with --port (0 for any)"
    ),
    errno.EACCES: ("port", "{port} is not permitted for this user; choose one above 1023"),
    errno.EADDRNOTAVAIL: ("host", "{host} is not an address of this machine"),
}  # fmt: skip
"""The option at fault and the problem, by the system's error number."""


def bind_sockets(host: str, port: int) -> list[socket.socket]:
    """Return a socket for each address of the host. Raises InvalidRequest that names the option.

    With port 0, the first socket takes any free port, and the others the same one.
    """
    sockets: list[socket.socket] = []
    try:
        for family, address in _addresses(host, port):
            port = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_bound(family, (address, port)))
    except OSError as error:
        for one in sockets:
            one.close()
        raise _bind_error(error, host, port) from None
    return sockets


def urls_of(sockets: Iterable[socket.socket]) -> list[str]:
    """Return the URLs that the sockets serve."""
    names = (one.getsockname()[:2] for one in sockets)
    return [f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}" for host, port in names]


def _addresses(host: str, port: int) -> list[tuple[int, str]]:
    """Resolve the host; IPv6 addresses only if this machine supports IPv6, as a name may have both."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        raise InvalidRequest("host", f"{host[:80]!r} is neither an address nor a host name") from None
    addresses = list(dict.fromkeys((int(family), str(address[0])) for family, _, _, _, address in found))
    spoken = [one for one in addresses if one[0] != socket.AF_INET6 or _speaks_ipv6()]
    # IPv4 sorts first.
    return sorted(spoken or addresses)


def _speaks_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as trial:
            trial.bind(("::1", 0))
    except OSError:
        return False
    return True


def _bound(family: int, address: tuple[str, int]) -> socket.socket:
    # The protocol is named because asyncio turns Nagle's algorithm off only on sockets that say they are TCP: otherwise
    # every response on a kept connection waits 40 ms for the peer's delayed acknowledgement.
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows the option would let two programs share one port.
        if os.name == "posix":
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Otherwise an IPv6 socket would also take the IPv4 port, which has a socket of its own.
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except OSError:
        one.close()
        raise
    return one


def _bind_error(error: OSError, host: str, port: int) -> InvalidRequest:
    option, problem = PROBLEMS.get(error.errno or 0, ("host", f"cannot listen on {{host}}: {error.strerror}"))
    return InvalidRequest(option, problem.format(host=host, port=port))


def config_warnings(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a warning for each suspicious setting in the environment."""
    file = environment.get(FILE_VARIABLE)
    if file and not Path(file).exists():
        yield f"there is no file {file}, which {FILE_VARIABLE} names; the defaults are used"
    yield from misspelt_variables(environment)


SUBFOLDERS = ("results", "results/incoming", "inputs", "files")
"""Folders in the data folder: results, submitted recordings, and the files of Replicate clients."""


def check_writable(data_dir: Path, database: Database) -> None:
    """Create missing folders. Raises InvalidRequest or DatabaseError if something is not writable."""
    if database.is_sqlite:
        _check_file(Path(database.where))
    try:
        prepare_folders(data_dir)
    except FolderUnavailable as error:
        raise InvalidRequest("setting data_dir", str(error)) from None


def prepare_folders(data_dir: Path) -> None:
    """Create missing folders. Raises FolderUnavailable."""
    for name in SUBFOLDERS:
        folder = data_dir / name
        ensure_folder(folder)
        if not _can_add_to(folder):
            raise FolderUnavailable(folder, f"it cannot be written to; {_whose(folder)}")


def _check_file(file: Path) -> None:
    """Check that the file and its folder are writable; SQLite needs the folder for its log."""
    for path, fits in ((file, os.access(file, os.R_OK | os.W_OK)), (file.parent, _can_add_to(file.parent))):
        if not fits:
            raise DatabaseError(str(file), f"cannot be written to, because {path} cannot; {_whose(path)}")


def _can_add_to(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _whose(path: Path) -> str:
    """Return the owner as a hint: most often another user ran a command in the same folder before."""
    try:
        return f"it belongs to {path.owner()}"
    except (KeyError, NotImplementedError, OSError):
        return "check its owner and permissions"


RESERVED_DESCRIPTORS = 256
"""Descriptors reserved for the database, runners, files and webhooks."""

DESCRIPTOR_LIMITS = (65_536, 10_240)
"""The limits to try, highest first; each waiting caller takes one. Defaults are 1024 (Linux) and 256 (macOS)."""


def raise_descriptor_limit() -> None:
    """Raise the process's limit of open files as far as the system allows; Windows has no such limit."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in DESCRIPTOR_LIMITS:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= limit:
            return
        # macOS accepts less than its hard limit states.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            return


def connection_limit(wanted: int) -> int:
    """Return the limit of open connections: ``wanted``, or fewer if descriptors are scarce.

    Each may need a second descriptor, for the file it receives.
    """
    if sys.platform == "win32":
        return wanted
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    # Reserve at most half: even a low limit must leave room for connections.
    return min(wanted, (soft - min(RESERVED_DESCRIPTORS, soft // 2)) // 2)
