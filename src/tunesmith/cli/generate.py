"""``tunesmith generate``: generate files from a prompt; ``again`` and ``vary`` share its last step."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli import options
from tunesmith.cli.options import KEPT_FILES

if TYPE_CHECKING:
    from tunesmith.config import Settings
    from tunesmith.output_files import OutputFiles
    from tunesmith.pipeline import GeneratedFile, Listener
    from tunesmith.request import GenerationRequest


def generate(
    prompt: options.Prompt, output: options.Output = None, duration: options.Duration = None, bars: options.Bars = None,
    bpm: options.Bpm = None, key: options.KeyName = None, meter: options.MeterName = None,
    genre: options.GenreName = None, mood: options.MoodName = None, instruments: options.Instruments = None,
    without: options.Without = None, production: options.Production = None, ambience: options.Ambience = None,
    balance: options.Balance = None, form: options.FormName = None, intro: options.IntroName = None,
    ending: options.EndingName = None, loop: options.Loop = False, intensity: options.Intensity = None,
    layers: options.Layers = None, hit: options.Hits = None, seed: options.Seed = None, lock: options.Lock = None,
    score_edits: options.ScoreEdits = None, variations: options.Variations = 1, pick: options.Pick = False,
    keep: options.Keep = "all", midi_in: options.MidiIn = None, score_in: options.ScoreIn = None,
    model: options.Model = "composer", guide: options.Guide = None, keep_stems: options.KeepStems = None,
    perform: options.Perform = False, performances: options.Performances = None, accompany: options.Accompany = False,
    snap_tempo: options.SnapTempo = False, lead_frames: options.LeadFrames = None,
    commercial_safe: options.CommercialSafe = None, revenue_below_limit: options.RevenueBelowLimit = None,
    negative_prompt: options.NegativePrompt = None, guidance: options.Guidance = None,
    temperature: options.Temperature = None, top_k: options.TopK = None, top_p: options.TopP = None,
    audio: options.AudioFile = None, continued: options.Continue = False, strength: options.Strength = None,
    schedule: options.ScheduleName = None, repaint: options.Repaint = None, melody: options.MelodyFile = None,
    steps: options.Steps = None, max_calls: options.MaxCalls = None, hosted_token: options.HostedToken = None,
    loudness: options.Loudness = None, sample_rate: options.SampleRateHz = None, mono: options.Mono = False,
    soundfont: options.SoundFontFile = None, stems: options.Stems = None, midi: options.Midi = None,
    score: options.ScoreFile = None, plot: options.Plot = None, play: options.Play = False,
    sheet: options.Sheet = None, as_json: options.Json = False, quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Generate music from a prompt and write it to a file.

    tunesmith "calm piano, 70 bpm" --duration 1:30 -o calm.mp3
    """
    from tunesmith.output_files import OutputFiles
    from tunesmith.pipeline import GenerationOptions, build_requests

    started = time.monotonic()
    settings = prepare_settings(model, max_calls, hosted_token)
    check_recording(audio, {"continue": continued, "strength": strength, "repaint": repaint})
    keep_stems, keep = (keep, "all") if (guide or perform) and keep not in KEPT_FILES else (keep_stems, keep)
    _check_licence(settings, model, (audio, melody), commercial_safe, revenue_below_limit)
    options = GenerationOptions(
        prompt=prompt, model=model, seed=seed, duration=duration, bars=bars, tempo_bpm=bpm, key=key, meter=meter,
        genre=genre, mood=mood, instruments=instruments, without=without, production=production, ambience=ambience,
        balance=balance, form=form, intro=intro, loop=loop, intensity=intensity, hits=hit, lock=lock,
        score_edits=score_edits, loudness_lufs=loudness, sample_rate=sample_rate, mono=mono, soundfont=soundfont,
        negative_prompt=negative_prompt, guidance_scale=guidance, temperature=temperature, top_k=top_k, top_p=top_p,
        audio=audio, melody=melody, steps=steps, ending=ending, strength=strength, schedule=schedule, repaint=repaint,
        guide=guide, keep_stems=keep_stems, perform=perform, performances=performances, accompany=accompany,
        snap_tempo=snap_tempo, lead_frames=lead_frames, score=score_in, variations=variations,
    )  # fmt: skip
    requests = build_requests(options, settings)
    files = OutputFiles.checked(output, settings.suffix, stems, midi, score, layers, plot)
    _generate(requests, files, settings, ReportOptions(as_json, quiet, pick, keep, sheet), started, midi_in, play=play)


def _check_licence(
    settings: Settings, model: str, recordings: tuple[str | None, str | None],
    commercial_safe: bool | None, revenue_below_limit: bool | None,
) -> None:  # fmt: skip
    from tunesmith.models.commercial_safety import CommercialPolicy, check_licence

    check_licence(CommercialPolicy.of(settings, commercial_safe, revenue_below_limit), model, *recordings)


def _generate(
    requests: Sequence[GenerationRequest], files: OutputFiles, settings: Settings, shown: ReportOptions,
    started: float, midi_in: Path | None, *, play: bool,
) -> None:  # fmt: skip
    from tunesmith.cli.midi_in import arrange_and_report
    from tunesmith.cli.play import playing

    with playing(play, len(requests)) as listen:
        if midi_in is None:
            generate_and_report(requests, files, settings, shown, started=started, listen=listen)
        else:
            arrange_and_report(midi_in, requests, files, settings, shown, listen)


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a command reports its results, whether it ranks them first, and the picture of all that it draws then."""

    as_json: bool
    quiet: bool
    pick: bool = False
    keep: str = "all"
    sheet: Path | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the command shows only errors, warnings and JSON."""
        return self.as_json or self.quiet


def check_recording(audio: str | None, uses: Mapping[str, object]) -> None:
    """Raise InvalidRequest unless a recording comes with exactly one use of it, by option, or neither does."""
    from tunesmith.errors import InvalidRequest

    given = [name for name, value in uses.items() if value not in (None, False)]
    if audio is None and given:
        raise InvalidRequest(given[0], "needs a recording: --audio FILE")
    if audio is not None and not given:
        raise InvalidRequest(
            "audio",
            f"needs --continue, --strength or --repaint, got --audio {audio} alone",
        )
    if len(given) > 1:
        raise InvalidRequest(given[1], f"cannot go with --{given[0]}; give only one")


def prepare_settings(model: str, max_calls: str | None, hosted_token: str | None) -> Settings:
    """Load the settings with the options of hosted models applied; warn of misspelt environment variables.

    Raises InvalidRequest for an invalid setting or option.
    """
    from tunesmith.cli.console import print_warning
    from tunesmith.config import load_settings, misspelt_variables

    # A misspelt variable has no effect, which would otherwise go unnoticed.
    for line in misspelt_variables(os.environ):
        print_warning(line)
    if max_calls is not None or hosted_token is not None:
        from tunesmith.cli.hosted_options import apply_hosted_options

        # This sets environment variables, which load_settings reads below.
        apply_hosted_options(model, max_calls, hosted_token)
    return load_settings()


def generate_and_report(
    requests: Sequence[GenerationRequest],
    files: OutputFiles,
    settings: Settings,
    shown: ReportOptions,
    *,
    parent: str | None = None,
    started: float | None = None,
    listen: Listener | None = None,
) -> list[GeneratedFile]:
    """Generate the files, log them as variations of ``parent``, report and return them.

    ``listen`` hears each piece while it is made.
    ``started`` is in seconds of the monotonic clock; the reported time begins there. Raises TunesmithError.
    """
    from tunesmith.cli.console import print_warning, progress_bar, report
    from tunesmith.cli.track_log import log_tracks
    from tunesmith.pipeline import generate_files

    if shown.pick or shown.keep != "all" or shown.sheet is not None:
        from tunesmith.cli.pick_option import check_picking, keep_best, show_ranking

        # Before the music is generated, which takes longer.
        check_picking(shown, len(requests), files)
    with progress_bar(shown.is_silent) as progress:
        generated = generate_files(
            requests, files, progress=progress, warn=print_warning, started=started, listen=listen
        )
    if shown.pick:
        done = keep_best(settings, generated, files, shown, parent)
    else:
        done = log_tracks(settings, generated, parent)
    # Standard output may carry the sound itself.
    report(done, shown.as_json, shown.quiet, to_stderr=files.to_standard_output)
    if shown.pick and not shown.is_silent:
        show_ranking(done)
    return done
