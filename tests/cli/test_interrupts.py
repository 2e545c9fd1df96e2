"""Signals that come while libsndfile reads or closes a file are not lost, and leave no file half closed."""

from __future__ import annotations

import io
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import soundfile
from sounds import wav_bytes

from tunesmith.cli.interrupts import TERMINATED, handle_interrupts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Take Python's own handlers for granted, and put those back that were there."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    handle_interrupts()
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


class Interrupting(io.BytesIO):
    """A file in whose first read a signal comes."""

    number: signal.Signals | None = None

    def readinto(self, buffer: object) -> int:
        if self.number is not None:
            number, self.number = self.number, None
            signal.raise_signal(number)
        return super().readinto(buffer)  # type: ignore[arg-type]


def read_until_stopped(number: signal.Signals) -> None:
    """Read again and again; the signal comes once, within the first read."""
    file = Interrupting(wav_bytes())
    file.number = number
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        file.seek(0)
        with soundfile.SoundFile(file) as sound:
            sound.read()


def test_an_interrupt_within_a_read_stops_the_run() -> None:
    with pytest.raises(KeyboardInterrupt):
        read_until_stopped(signal.SIGINT)


def test_a_request_to_end_within_a_read_ends_the_run() -> None:
    with pytest.raises(SystemExit) as caught:
        read_until_stopped(signal.SIGTERM)
    assert caught.value.code == TERMINATED


class ClosedAtABadMoment:
    """libsndfile, whose ``sf_close`` is followed by a signal before soundfile has noted that the file is closed."""

    def __init__(self, library: Any, number: signal.Signals) -> None:
        self._library = library
        self._number = number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def sf_close(self, file: Any) -> int:
        code: int = self._library.sf_close(file)
        signal.raise_signal(self._number)
        return code


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_within_the_closing_of_a_file_comes_once_it_is_closed(
    number: signal.Signals, error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = soundfile.SoundFile(io.BytesIO(wav_bytes()))
    with monkeypatch.context() as changed:
        changed.setattr(soundfile, "_snd", ClosedAtABadMoment(soundfile._snd, number))
        with pytest.raises(error):
            close_and_wait(sound)
    # A file that is not noted as closed is closed, and its memory freed, a second time.
    is_closed = sound.closed
    sound._file = None
    assert is_closed


class Finalized:
    """An object in whose ``__del__`` a signal comes."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_within_a_finalizer_is_not_lost() -> None:
    with pytest.raises(SystemExit):
        finalize_and_wait()


def finalize_and_wait() -> None:
    finalized = Finalized()
    del finalized
    time.sleep(5)


def close_and_wait(sound: soundfile.SoundFile) -> None:
    sound.close()
    time.sleep(5)


def test_an_interrupt_elsewhere_comes_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    handle_interrupts()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
