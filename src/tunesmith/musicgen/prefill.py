"""Preparing the rows of a sequence for a window, in pieces short enough to go between the steps of the others.

The pieces depend on the sequence alone, never on its company: rounding may differ with the length of a piece.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.musicgen.conditioning import Condition, TextStates, build_conditions
from tunesmith.musicgen.runner import Runner
from tunesmith.musicgen.sequence import Sequence


def prefill_rows(sequence: Sequence, runner: Runner, texts: TextStates, chunk: int) -> Iterator[None]:
    """Condition and prefill the rows of the sequence; yields after each piece of work of at most ``chunk`` positions.

    The rows may be moved while it is suspended.
    """
    conditions: list[Condition] = []
    for condition in build_conditions(sequence, runner, texts):
        if condition is not None:
            conditions.append(condition)
        yield
    capacity = max(condition.prefix_length for condition in conditions) + sequence.longest_window
    for place, condition in enumerate(conditions):
        runner.open_row(sequence.rows[place], condition.states, capacity)
        sequence.num_open = max(sequence.num_open, place + 1)
        yield
        for start in range(0, condition.prefix_length, chunk):
            assert condition.prefix is not None
            runner.extend_prefix(sequence.rows[place], condition.prefix[start : start + chunk])
            yield
        codes = sequence.prefill_codes
        for start in range(0, codes.shape[1], chunk):
            runner.extend(sequence.rows[place], codes[:, start : start + chunk])
            yield
