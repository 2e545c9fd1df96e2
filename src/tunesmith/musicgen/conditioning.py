"""What a row is conditioned on: text states to attend to, or [chroma, text] states as a prefix."""

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
    """One row's condition: ``states`` for cross-attention, or ``prefix`` where the architecture has none."""

    states: States | None = None
    prefix: States | None = None

    @property
    def prefix_length(self) -> int:
        """How many positions come before the codes."""
        return 0 if self.prefix is None else len(self.prefix)


class TextStates:
    """The encoded texts, the latest kept."""

    def __init__(self, runner: Runner, remembered: int) -> None:
        self._runner = runner
        self._remembered = remembered
        self._states: OrderedDict[TokenIds, States] = OrderedDict()

    def __contains__(self, token_ids: TokenIds) -> bool:
        """Whether the text is encoded already; the empty text always is."""
        return not token_ids or token_ids in self._states

    def of(self, token_ids: TokenIds) -> States | None:
        """Return the states of a text, (tokens, hidden); None for the empty text."""
        if not token_ids:
            return None
        states = self._states.pop(token_ids, None)
        if states is None:
            states = self._runner.encode_text(token_ids).copy()
        self._states[token_ids] = states
        if len(self._states) > self._remembered:
            self._states.popitem(last=False)
        return states


def build_conditions(sequence: Sequence, runner: Runner, texts: TextStates) -> Iterator[Condition | None]:
    """Yield None after each piece of work, then the condition of each row of the sequence."""
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
    heard = silent if request.melody is None else request.melody(sequence.window)
    yield None
    positions = 1 if states[0] is None else len(states[0])
    for text, melody in zip(states, (heard, silent), strict=False):
        yield Condition(prefix=_prefix(runner.encode_chroma(melody), text, positions))


def _prefix(chroma: States, text: States | None, positions: int) -> States:
    """Join the two; where there is less text than ``positions``, zeros stand for it, so that all rows keep step."""
    text = np.zeros((0, chroma.shape[1]), np.float32) if text is None else text
    missing = np.zeros((max(positions - len(text), 0), chroma.shape[1]), np.float32)
    return np.concatenate([chroma, text, missing])
