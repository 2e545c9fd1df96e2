"""Prefill: the rows of a sequence get their condition and known codes, in chunks that fit between two steps.

Chunks depend on the sequence alone, never on the rest of the batch: rounding may differ with the chunk length.
"""

from __future__ import annotations

from collections.abc import Iterator

from tunesmith.musicgen.conditioning import Condition, TextStates, build_conditions
from tunesmith.musicgen.runner import Runner
from tunesmith.musicgen.sequence import Sequence


def prefill_rows(sequence: Sequence, runner: Runner, texts: TextStates, chunk: int) -> Iterator[None]:
    """Condition and prefill the rows of the sequence; yield after each chunk of at most ``chunk`` positions.

    While the iterator is suspended, the scheduler may move the rows.
    """
    conditions: list[Condition] = []
    for condition in build_conditions(sequence, runner, texts):
        if condition is not None:
            conditions.append(condition)
        yield
    # Reserve for the longest window at once: growing later would move the buffers of every row.
    capacity = max(condition.prefix_length for condition in conditions) + sequence.longest_window
    for place, condition in enumerate(conditions):
        # Read ``sequence.rows`` anew each time: a move during a yield changes it.
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
