"""``tunesmith generate``: a prompt becomes files."""

from __future__ import annotations

from tunesmith.cli import options


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
    max_calls: options.MaxCalls = None,
    hosted_token: options.HostedToken = None,
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
    given = locals()
    from tunesmith.cli.generating import generate_files

    generate_files(given)
