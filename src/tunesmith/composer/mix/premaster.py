"""From a score to its pre-master mix, and to stems that sum to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.audio.spool import Spool
from tunesmith.composer.mix.automation import Sweep
from tunesmith.composer.mix.channel_strips import Channel, channel_of
from tunesmith.composer.mix.ducking import Ducker
from tunesmith.composer.mix.mix_buffer import MixBuffer, faded
from tunesmith.composer.mix.mixer import Mixer
from tunesmith.composer.mix.options import MixOptions
from tunesmith.composer.render import (
    AmbienceLoop,
    AmbienceTexture,
    DryStems,
    RenderThreads,
    Voices,
    audible_parts,
    kick_samples,
    length_in_samples,
)
from tunesmith.composer.render.stems import StemBlock
from tunesmith.composer.score import Ambience, Part, Score
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck, Progress, ProgressCallback

AMBIENCE_DB: Mapping[str, float] = {
    "rain": -16, "heavy_rain": -14, "thunder": -6, "ocean": -6, "wind": -6, "fire": -7, "birds": -11, "crowd": -7,
    "stream": -11, "night": -12, "vinyl": -17, "city": -7, "cafe": -7, "tape_hiss": -15, "forest": -11,
}  # fmt: skip
"""The level of each ambience at 0 dB, in power relative to the music.

Steady hiss masks more than its power suggests, rumble and single events less: tuned so that a tagger detects each of
them, and the music before it.
"""

OTHER_AMBIENCE_DB = -9.0

SILENT_MUSIC_POWER = 1e-3


@dataclass(frozen=True, slots=True)
class Session:
    """The context of a mix besides the score: voices, textures, the caller's options and callbacks."""

    voices: Voices
    texture: AmbienceTexture
    options: MixOptions
    progress: ProgressCallback
    cancelled: CancelCheck

    def report(self, stage: str, fraction: float) -> None:
        """Report the progress; raise GenerationCancelled if the caller has cancelled."""
        if self.cancelled():
            raise GenerationCancelled
        self.progress(Progress(stage, min(1.0, fraction)))


def premaster(score: Score, session: Session, *, share: float = 1.0) -> Spool:
    """Return the mix before production and mastering, (2, n) at the composer's rate; the caller closes it.

    ``share`` is this step's share of the whole progress.
    """
    spool = Spool(2)
    render_premaster(spool, score, session, share=share)
    return spool


def render_premaster(spool: Spool, score: Score, session: Session, *, share: float = 1.0) -> float:
    """Append the mix before production and mastering to an empty spool; return the power of its parts.

    Ambience is scaled to that power, so without ambience it is not measured: 0.
    """
    music = _render_parts(spool, score, session, share)
    for ambience in score.ambience:
        _add_ambience(spool, score, ambience, music, session)
    return music


def stem_spools(score: Score, session: Session, music: float | None = None) -> Iterator[tuple[str, Spool]]:
    """Yield the name and spool of every audible part and ambience; the caller closes the spools.

    The spools sum to the pre-master mix. One stem is rendered at a time, so memory does not grow with their number.
    ``music`` is what ``render_premaster`` returns; without it, the mix is rendered once if there is ambience.
    """
    parts = audible_parts(score, session.options.intensity)
    sources = len(parts) + len(score.ambience)
    if music is None:
        with Spool(2) as whole:
            music = _render_parts(whole, score, session, share=0.0) if score.ambience else 0.0
    for index, part in enumerate(parts):
        yield part.name, _part_spool(score, session, part, index / sources)
    for index, ambience in enumerate(score.ambience):
        spool = Spool(2)
        # Silence first, because ambience is added to what the spool already has.
        for start in range(0, length_in_samples(score), session.options.block):
            stop = min(length_in_samples(score), start + session.options.block)
            spool.append(np.zeros((2, stop - start), np.float32))
        _add_ambience(spool, score, ambience, music, session)
        session.report("stems", (len(parts) + index + 1) / sources)
        yield ambience.name, spool


def _part_spool(score: Score, session: Session, part: Part, done: float) -> Spool:
    """Render one part alone, with the ducking and the filter automation of the whole score."""
    spool = Spool(2)
    # An entry of 0, because the part was already chosen by the intensity.
    alone = replace(score, parts=(replace(part, entry=0.0),))
    stems = DryStems(alone, session.voices, channel_of, intensity=session.options.intensity)
    _mix_into(spool, score, session, stems, stems.keys, lambda _: session.report("stems", done))
    return spool


def _mix_into(
    spool: Spool,
    score: Score,
    session: Session,
    stems: DryStems[Channel],
    channels: tuple[Channel, ...],
    report: Callable[[float], None],
) -> None:
    length, block = length_in_samples(score), session.options.block
    kicks = kick_samples(score, session.options.intensity)
    ducker = Ducker(kicks, score.mix.side_chain, length if score.loop else None)
    console = Mixer(channels, score, ducker, Sweep(score))
    timeline = MixBuffer(spool, length, loop=score.loop)
    start = 0
    with RenderThreads(session.options.threads_for(length)) as threads:
        mixing = threads.start(lambda: None)
        # A loop is rendered until its last note has decayed: the tail belongs at its beginning.
        while start < length or (score.loop and not stems.finished):
            report(start / length)
            taken = min(block, length - start) if start < length else block
            dry = np.empty((len(channels), 2, taken), np.float32)
            stems.fill(dry, start, threads)
            # The mixer works on one block while the parts render the next; it takes the blocks in order.
            mixing.result()
            mixing = threads.start(partial(_mix_block, console, timeline, dry, start))
            start += taken
        mixing.result()
    timeline.finish(start)
    assert len(spool) == length


def _mix_block(console: Mixer, timeline: MixBuffer, dry: StemBlock, start: int) -> None:
    timeline.add(start, console.mix(dry, start), dry.shape[2])


def _render_parts(spool: Spool, score: Score, session: Session, share: float) -> float:
    """Append the mix of all parts to an empty spool; return its power, or 0 where no ambience needs it."""
    stems = DryStems(score, session.voices, channel_of, intensity=session.options.intensity)
    _mix_into(spool, score, session, stems, stems.keys, lambda done: session.report("rendering", done * share))
    return _power(spool, session.options.block) if score.ambience else 0.0


def _power(spool: Spool, block: int) -> float:
    """Return the mean square of the mix, or a usual value if there is no music."""
    total, count = 0.0, 0
    for start in range(0, len(spool), block):
        # In blocks, and summed in double precision, so that long pieces neither fill the memory nor lose accuracy.
        squares = np.square(_read(spool, start, block))
        total += float(np.sum(squares, dtype=np.float64))
        count += squares.size
    power = total / max(1, count)
    # Near-silence counts as silence: relative to it, ambience would be inaudible.
    return power if power > 1e-9 else SILENT_MUSIC_POWER


def _read(spool: Spool, start: int, block: int) -> Samples:
    return spool.read(start, min(len(spool), start + block))


def _add_ambience(spool: Spool, score: Score, ambience: Ambience, music: float, session: Session) -> None:
    texture = AmbienceLoop(score, ambience, session.texture)
    gain = ambience_gain(ambience, music, texture)
    for start in range(0, len(spool), session.options.block):
        stop = min(len(spool), start + session.options.block)
        block = texture.read(start, stop) * np.float32(gain)
        spool.add(start, block if score.loop else faded(block, start, len(spool)))


def ambience_gain(ambience: Ambience, music: float, texture: AmbienceLoop) -> float:
    """Return the linear gain of a texture under parts of the power ``music``."""
    level = AMBIENCE_DB.get(ambience.name, OTHER_AMBIENCE_DB) + ambience.gain_db
    return float(10 ** (level / 20) * (music / max(texture.power, 1e-12)) ** 0.5)
