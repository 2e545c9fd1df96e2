"""``tunesmith generate``: a prompt becomes files."""

from __future__ import annotations

import time

from tunesmith.cli import options
from tunesmith.cli.console import progress_bar
from tunesmith.cli.outputs import report


def generate(
    prompt: options.Prompt,
    output: options.Output = None,
    duration: options.Duration = None,
    bars: options.Bars = None,
    bpm: options.Bpm = None,
    key: options.KeyName = None,
    meter: options.MeterName = None,
    genre: options.GenreName = None,
    instruments: options.Instruments = None,
    without: options.Without = None,
    form: options.FormName = None,
    loop: options.Loop = False,
    intensity: options.Intensity = None,
    layers: options.Layers = None,
    hit: options.Hits = None,
    seed: options.Seed = None,
    variations: options.Variations = 1,
    pick: options.Pick = False,
    keep: options.Keep = "all",
    model: options.Model = "composer",
    commercial_safe: options.CommercialSafe = None,
    negative_prompt: options.NegativePrompt = None,
    guidance: options.Guidance = None,
    temperature: options.Temperature = None,
    top_k: options.TopK = None,
    top_p: options.TopP = None,
    audio: options.AudioFile = None,
    continued: options.Continue = False,
    melody: options.MelodyFile = None,
    loudness: options.Loudness = None,
    sample_rate: options.SampleRateHz = None,
    mono: options.Mono = False,
    soundfont: options.SoundFontFile = None,
    stems: options.Stems = None,
    midi: options.Midi = None,
    score: options.ScoreFile = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make music from a prompt and write it to a file.

    tunesmith "calm piano, 70 bpm" --duration 1:30 -o calm.mp3
    """
    from tunesmith.cli.making import Extras, check_continued, check_licence, make_all, requests_for
    from tunesmith.cli.picking import check_picking, picked, show_ranking
    from tunesmith.cli.remembering import remembered

    wishes = {
        "prompt": prompt, "model": model, "seed": seed, "duration": duration, "bars": bars, "tempo_bpm": bpm,
        "key": key, "meter": meter, "genre": genre, "instruments": instruments, "without": without, "form": form,
        "loop": loop, "intensity": intensity, "hits": hit, "loudness_lufs": loudness, "sample_rate": sample_rate,
        "mono": mono, "soundfont": soundfont, "negative_prompt": negative_prompt, "guidance_scale": guidance,
        "temperature": temperature, "top_k": top_k, "top_p": top_p, "audio": audio, "melody": melody,
    }  # fmt: skip
    started = time.monotonic()
    check_continued(audio, continued)
    check_licence(model, commercial_safe)
    requests, suffix = requests_for(wishes, variations)
    extras = Extras.checked(output, suffix, stems, midi, score, layers)
    check_picking(pick, keep, variations, extras)
    with progress_bar(quiet or as_json) as progress:
        made = make_all(requests, extras, progress, started)
    done = picked(made, extras, keep) if pick else remembered(made)
    report(done, as_json, quiet, to_stderr=extras.to_standard_output)
    if pick and not (as_json or quiet):
        show_ranking(done)
