"""The bass player: the register, the root of each chord, and the steps that lead to the next root."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.composer.instruments import instrument
from tunesmith.composer.score import ChordSpan
from tunesmith.composer.writing.harmony.scales import Ladder, ladder
from tunesmith.composer.writing.plan import Plan, Player


@dataclass(frozen=True, slots=True)
class Bassist:
    """A bass player with the kick drum's beats and a range of ``low`` to ``high`` in MIDI pitches."""

    plan: Plan
    player: Player
    kicks: tuple[float, ...]
    low: int
    high: int
    scale: Ladder

    @classmethod
    def of(cls, plan: Plan, player: Player) -> Bassist:
        """Return the bass player of a part."""
        tool = instrument(player.instrument)
        # More room above than below: patterns play the octave and the fifth above the root.
        low, high = max(tool.low, player.register - 12), min(tool.high, player.register + 14)
        return cls(plan, player, plan.kicks(), low, high, ladder(plan.key.pitch_classes))

    def near(self, pitch_class: int, centre: float) -> int:
        """Return the pitch of this class nearest to ``centre`` within the range."""
        options = range(self.low + (pitch_class - self.low) % 12, self.high + 1, 12)
        # The pitch is part of the key, so that of two equally near octaves the lower one always wins.
        return min(options, key=lambda pitch: (abs(pitch - centre), pitch))

    def root(self, span: ChordSpan) -> int:
        """Return the bass note of a chord, near the player's register."""
        # A pedal point holds the tonic as long as the chord contains it.
        if self.player.style == "pedal" and self.plan.key.tonic in span.chord.pitch_classes:
            return self.near(self.plan.key.tonic, self.player.register)
        return self.near(span.chord.bass_pitch_class, self.player.register)

    def tone(self, span: ChordSpan, letter: str) -> int:
        """Return the third (``t``), the sixth or seventh (``s``) or the fifth (any other letter) of a chord."""
        steps = span.chord.intervals
        if letter == "t":
            interval = next((step for step in steps if step in (3, 4)), 7)
        elif letter == "s":
            interval = next((step for step in steps if step in (9, 10, 11)), 9 if 4 in steps else 10)
        else:
            interval = next((step for step in steps if step in (6, 7, 8)), 7)
        # Fifths and thirds lie above the root, where they do not muddy the low end.
        return self.near((span.chord.root + interval) % 12, self.root(span) + 4)

    def octave(self, span: ChordSpan) -> int:
        """Return the root an octave higher, or the root itself at the top of the range."""
        root = self.root(span)
        return root + 12 if root + 12 <= self.high else root

    def approach(self, root: int, target: int) -> int:
        """Return a step below or above the next root: in the key where possible, else a semitone."""
        if target == root:
            # There is nothing to approach where the root stays; the fifth keeps the line moving.
            return self.near((target + 7) % 12, root)
        classes = set(self.plan.key.pitch_classes)
        side = 1 if root > target else -1
        options = [target + side * step for step in (1, 2) if (target + side * step) % 12 in classes]
        options += [target - 1, target + 1]
        return next((pitch for pitch in options if self.low <= pitch <= self.high), target)

    def stepwise(self, root: int, target: int, steps: int) -> int:
        """Return the scale pitch ``steps`` before ``target`` on a walk to it from the side of ``root``."""
        index = self.scale.nearest(target)
        below = self.scale.climb(index, -steps)
        above = self.scale.climb(index, steps)
        first, second = (above, below) if root > target else (below, above)
        return next((pitch for pitch in (first, second) if self.low <= pitch <= self.high), target)
