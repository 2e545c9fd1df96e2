"""Conditioning of a row: text states for cross-attention, or [chroma, text] states as a prefix."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tunesmith.musicgen.chroma import silent_chroma
from tunesmith.musicgen.runner import Runner, States
from tunesmith.musicgen.sequence import Sequence

TokenIds = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition of one row: ``states`` for cross-attention, or ``prefix`` if the architecture has none."""

    states: States | None = None
    prefix: States | None = None

    @property
    def prefix_length(self) -> int:
        """The number of positions before the codes."""
        return 0 if self.prefix is None else len(self.prefix)


class TextStates:
    """A least-recently-used cache of encoded texts."""

    def __init__(self, runner: Runner, remembered: int) -> None:
        self._runner = runner
        self._remembered = remembered
        self._states: OrderedDict[TokenIds, States] = OrderedDict()

    def __contains__(self, token_ids: TokenIds) -> bool:
        """Return whether the text is already encoded; the empty text always is."""
        return not token_ids or token_ids in self._states

    def of(self, token_ids: TokenIds) -> States | None:
        """Return the states of a text, (tokens, hidden); None for the empty text."""
        if not token_ids:
            return None
        # Pop and insert again: the order of the dict is the order of use.
        states = self._states.pop(token_ids, None)
        if states is None:
            states = self._runner.encode_text(token_ids).copy()
        self._states[token_ids] = states
        if len(self._states) > self._remembered:
            self._states.popitem(last=False)
        return states


def build_conditions(sequence: Sequence, runner: Runner, texts: TextStates) -> Iterator[Condition | None]:
    """Yield None after each unit of work, then the condition of each row of the sequence.

    The engine runs steps of other sequences between two yields.
    """
    request = sequence.request
    states = [texts.of(request.prompt_ids)]
    yield None
    if request.guided:
        states.append(texts.of(request.negative_ids))
        yield None
    chroma = runner.architecture.chroma
    if chroma is None:
        yield from (Condition(states=text) for text in states)
        return
    silent = silent_chroma(chroma)
    melody_chroma = silent if request.melody is None else request.melody(sequence.window)
    yield None
    # Both rows of a guided sequence must have prefixes of equal length to stay in step.
    positions = 1 if states[0] is None else len(states[0])
    for text, melody in zip(states, (melody_chroma, silent), strict=False):
        yield Condition(prefix=join_prefix(runner.encode_chroma(melody), text, positions))


def join_prefix(chroma: States, text: States | None, positions: int) -> States:
    """Join the chroma and text states; pad the text with zeros to ``positions``, so that all rows stay in step."""
    text = np.zeros((0, chroma.shape[1]), np.float32) if text is None else text
    missing = np.zeros((max(positions - len(text), 0), chroma.shape[1]), np.float32)
    return np.concatenate([chroma, text, missing])
