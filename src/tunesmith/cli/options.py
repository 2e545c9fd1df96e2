"""The options of the commands that generate music: names, values and help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def _option(panel: str, help_text: str, metavar: str | None = None, *names: str, **limits: Any) -> Any:
    return typer.Option(*names, metavar=metavar, rich_help_panel=panel, help=help_text, **limits)


FILES, MUSIC, SOUND = "Files", "Music", "Audio"
MODELS, HOSTED = "Neural models only", "Hosted models only"
# Most values stay text, because GenerationRequest parses and checks them for the command line and the APIs alike.
Text = str | None
File = Path | None

Prompt = Annotated[str, typer.Argument(help="A description of the music, in your own words.")]
SOURCE_HELP = "A track's id (see: tunesmith log), or an audio file written by Tunesmith."
Source = Annotated[str, typer.Argument(metavar="ID|FILE", help=SOURCE_HELP)]
OUTPUT_HELP = "Output file: .wav .flac .mp3 .ogg .opus; - for standard output. Default: named after prompt and seed."
Output = Annotated[Text, _option(FILES, OUTPUT_HELP, "FILE", "-o", "--output")]
Stems = Annotated[File, _option(FILES, "Also write the stems: one file per part, before mastering.", "DIR")]
Midi = Annotated[File, _option(FILES, "Also write the notes as MIDI.", "FILE")]
ScoreFile = Annotated[File, _option(FILES, "Also write the score as YAML, to edit and render.", "FILE")]
PLOT_HELP = "Also draw the piano roll with sections, chords and energy (needs the extra plot)."
Plot = Annotated[File, _option(FILES, PLOT_HELP, "PNG")]
Play = Annotated[bool, _option(FILES, "Play the music while it is made.", None, "--play")]
Json = Annotated[bool, _option(FILES, "Report as JSON.", None, "--json")]
Quiet = Annotated[bool, _option(FILES, "Show neither progress nor report.", None, "--quiet", "-q")]

Duration = Annotated[Text, _option(MUSIC, "Exact length: 45, 1:30; 1 s to 30 min. Default: 30.", "TIME")]
Bars = Annotated[Text, _option(MUSIC, "Length in bars instead.", "N")]
Bpm = Annotated[Text, _option(MUSIC, "Tempo, 20 to 300.", "BPM")]
KeyName = Annotated[Text, _option(MUSIC, "Key, such as 'D minor', 'F# dorian', Bb.", "KEY")]
MeterName = Annotated[Text, _option(MUSIC, "Meter, such as 4/4, 3/4, 6/8.", "METER")]
GenreName = Annotated[Text, _option(MUSIC, "Genre; see: tunesmith genres.", "NAME")]
Instruments = Annotated[
    Text, _option(MUSIC, "Instruments that must play; +A adds one. See: tunesmith instruments.", "A,B")
]
Without = Annotated[Text, _option(MUSIC, "Instruments, families, roles or sounds to leave out.", "A,B")]
MOOD_HELP = "Mood, such as happy, calm, dark; genre and band stay. Or valence and arousal: '0.6 -0.2'."
MoodName = Annotated[Text, _option(MUSIC, MOOD_HELP, "MOOD")]
LOCKED = "melody, chords, band, groove, tempo, key, form, genre, meter"
Lock = Annotated[Text, _option(MUSIC, f"Decisions to take from another seed: {LOCKED}.", "melody=N,chords=N")]
Keeping = Annotated[Text, _option(MUSIC, f"Decisions that every variation keeps: {LOCKED}.", "A,B", "--lock")]
EDITS_HELP = "Edits of the written score, in order: 'chord 5=Fm7,sections intro A A=8 outro,transpose 2'."
ScoreEdits = Annotated[Text, _option(MUSIC, EDITS_HELP, "EDITS")]
FormName = Annotated[Text, _option(MUSIC, "Form: track, loop, sting, bumper or bed.", "FORM")]
Production = Annotated[Text, _option(MUSIC, "Effects: spacious, dry, tape, vinyl, lofi, telephone.", "A,B")]
Ambience = Annotated[Text, _option(MUSIC, "Background sounds: rain, birds, ocean, cafe.", "A,B")]
BALANCE_HELP = "Levels in dB, also from A to B percent of the piece: drums=3,all=4@50-100."
Balance = Annotated[Text, _option(MUSIC, BALANCE_HELP, "NAME=DB")]
IntroName = Annotated[Text, _option(MUSIC, "Intro: none, short or long.", "INTRO")]
Loop = Annotated[bool, _option(MUSIC, "A seamless loop.", None, "--loop")]
Intensity = Annotated[Text, _option(MUSIC, "Intensity of the whole piece, 0 to 1.", "0..1")]
Layers = Annotated[Text, _option(MUSIC, "Also write the same piece, in sync, at these intensities: 0.2,0.6,1.", "A,B")]
Hits = Annotated[
    list[str] | None, _option(MUSIC, "Time at which a first beat falls; may be repeated.", "TIME[=climax]")
]
Seed = Annotated[Text, _option(MUSIC, "Same seed, same music. Default: random.", "N")]
Variations = Annotated[
    int, _option(MUSIC, "Number of pieces, with consecutive seeds.", "N", "-n", "--variations", min=1, max=100)
]
GUIDE_HELP = "Let the composer write the piece, and the model make its sound: exact tempo, key, form and length."
Guide = Annotated[Text, _option(MUSIC, GUIDE_HELP, "composer", "--guide")]
PERFORM_HELP = "Let the composer write the piece, and a model that plays notes perform it; the drums stay as composed."
Perform = Annotated[bool, _option(MUSIC, PERFORM_HELP, None, "--perform")]
PERFORMANCES_HELP = "Performances by the model, 1 to 8; the one with the most of the notes is kept. Default: 3."
Performances = Annotated[Text, _option(MUSIC, PERFORMANCES_HELP, "N", "--performances")]
ACCOMPANY_HELP = "Let a model that performs the notes add some of its own."
Accompany = Annotated[bool, _option(MUSIC, ACCOMPANY_HELP, None, "--accompany")]
SNAP_HELP = "With --perform: take the nearest tempo at which the model's sixteenths are even: 75, 93.75, 125 bpm …"
SnapTempo = Annotated[bool, _option(MUSIC, SNAP_HELP, None, "--snap-tempo")]
LEAD_HELP = "Give a model that performs the notes each of them N frames of 40 ms earlier, -25 to 25."
LeadFrames = Annotated[Text, _option(MUSIC, LEAD_HELP, "N", "--lead-frames")]
MIDI_IN_HELP = "A MIDI file whose melody, or whose chords, the composer arranges."
MidiIn = Annotated[File, _option(MUSIC, MIDI_IN_HELP, "FILE", "--midi-in")]
SCORE_IN_HELP = "A score or MIDI file to play as it is, instead of composing."
ScoreIn = Annotated[Text, _option(MUSIC, SCORE_IN_HELP, "FILE", "--score-in")]
PICK_HELP = "Measure the variations, rank them and mark the best one."
Pick = Annotated[bool, _option(MUSIC, PICK_HELP, None, "--pick")]
SHEET_HELP = "With --pick: also draw all in one picture: waveform, piano roll, measures (needs the extra plot)."
Sheet = Annotated[File, _option(FILES, SHEET_HELP, "PNG", "--sheet")]
KEPT_FILES = ("all", "best")
"""What ``--keep`` takes with ``--pick``."""
KEEP_HELP = "With --pick: files to keep. With --guide and --perform: roles of the composer's stems to keep."
Keep = Annotated[str, _option(MUSIC, KEEP_HELP, "all|best|drums,bass", "--keep")]
KEEP_STEMS_HELP = "With --guide and --perform: the same as --keep."
KeepStems = Annotated[Text, _option(MUSIC, KEEP_STEMS_HELP, "A,B", "--keep-stems")]
MODEL_HELP = "composer, a model (see: tunesmith list), hf:OWNER/NAME or replicate:OWNER/NAME."
Model = Annotated[str, _option(MUSIC, MODEL_HELP, "NAME")]
SAFE_HELP = "Refuse models and recordings whose licence forbids commercial use."
CommercialSafe = Annotated[bool | None, _option(MUSIC, SAFE_HELP, None, "--commercial-safe/--no-commercial-safe")]
REVENUE_HELP = "With --commercial-safe: allow licences with a revenue limit too; your revenue is below it."
REVENUE_FLAGS = "--revenue-below-limit/--no-revenue-below-limit"
RevenueBelowLimit = Annotated[bool | None, _option(MUSIC, REVENUE_HELP, None, REVENUE_FLAGS)]

NegativePrompt = Annotated[Text, _option(MODELS, "What to avoid (experimental).", "TEXT")]
Guidance = Annotated[
    Text, _option(MODELS, "Guidance scale: how closely to follow the prompt, 1 to 20. Default: 3.", "N")
]
Temperature = Annotated[Text, _option(MODELS, "Sampling temperature, 0 to 10; 0 is greedy. Default: 1.", "N")]
TopK = Annotated[Text, _option(MODELS, "Sample from the N most likely codes; 0 for all. Default: 250.", "N")]
TopP = Annotated[
    Text, _option(MODELS, "Sample from the most likely codes up to this cumulative probability instead.", "0..1")
]
AudioFile = Annotated[Text, _option(MODELS, "A recording, for --continue, --strength or --repaint.", "FILE", "--audio")]
Continue = Annotated[bool, _option(MODELS, "Continue --audio; the result begins with it.", None, "--continue")]
Steps = Annotated[Text, _option(MODELS, "Steps of a diffusion model, 1 to 500. Default: the model's, such as 8.", "N")]
ENDING_HELP = "Ending: big, soft or fade; for diffusion models natural or cut."
EndingName = Annotated[Text, _option(MUSIC, ENDING_HELP, "ENDING", "--ending")]
STRENGTH_HELP = "Make --audio anew, this much: redress, reimagine, inspired, or a number; 0 keeps all."
Strength = Annotated[Text, _option(MODELS, STRENGTH_HELP, "0..1")]
SCHEDULE_HELP = "Noise schedule: monotonic, or reference with --strength; diffusers is for Open 1.0."
ScheduleName = Annotated[Text, _option(MODELS, SCHEDULE_HELP, "monotonic|reference|diffusers", "--schedule")]
Repaint = Annotated[Text, _option(MODELS, "Make these seconds of --audio anew, keep the rest: 4-8,16-20.", "A-B,C-D")]
MelodyFile = Annotated[Text, _option(MODELS, "A recording whose melody to follow (melody models).", "FILE", "--melody")]

MaxCalls = Annotated[Text, _option(HOSTED, "Limit of calls, counted over all runs: 1000/day.", "N/UNIT", "--max-calls")]
HOSTED_HELP = "API token of the service; better set HF_TOKEN or REPLICATE_API_TOKEN."
HostedToken = Annotated[Text, _option(HOSTED, HOSTED_HELP, "TOKEN", "--hosted-token")]

Loudness = Annotated[
    Text, _option(SOUND, "Integrated loudness, -40 to -8. Default: the genre's or the score's.", "LUFS")
]
SampleRateHz = Annotated[Text, _option(SOUND, "Sample rate, 8000 to 96000. Default: 44100.", "HZ")]
Mono = Annotated[bool, _option(SOUND, "One channel.", None, "--mono")]
SoundFontFile = Annotated[Text, _option(SOUND, "SoundFont (SF2 or SF3) to play from.", "FILE")]
