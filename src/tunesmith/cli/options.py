"""The options of the commands that generate music: names, values and help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def _option(panel: str, help_text: str, metavar: str | None = None, *names: str, **limits: Any) -> Any:
    return typer.Option(*names, metavar=metavar, rich_help_panel=panel, help=help_text, **limits)


FILES, MUSIC, SOUND = "Files", "The music", "The sound"
MODELS, HOSTED = "Neural models only", "Hosted models only"
# Most values stay text, because GenerationRequest parses and checks them for the command line and the APIs alike.
Text = str | None
File = Path | None

Prompt = Annotated[str, typer.Argument(help="What the music should be, in your own words.")]
OUTPUT_HELP = "Where to: .wav .flac .mp3 .ogg .opus; - is standard output. Default: after prompt and seed."
Output = Annotated[Text, _option(FILES, OUTPUT_HELP, "FILE", "-o", "--output")]
Stems = Annotated[File, _option(FILES, "Also one file a part, before mastering.", "DIR")]
Midi = Annotated[File, _option(FILES, "Also the notes as MIDI.", "FILE")]
ScoreFile = Annotated[File, _option(FILES, "Also the score as YAML, to edit and render.", "FILE")]
Json = Annotated[bool, _option(FILES, "Report as JSON.", None, "--json")]
Quiet = Annotated[bool, _option(FILES, "No progress, no report.", None, "--quiet", "-q")]

Duration = Annotated[Text, _option(MUSIC, "Exact length: 45, 1:30; 1 s to 30 min. Default: 30.", "TIME")]
Bars = Annotated[Text, _option(MUSIC, "Length in bars instead.", "N")]
Bpm = Annotated[Text, _option(MUSIC, "Tempo, 20 to 300.", "BPM")]
KeyName = Annotated[Text, _option(MUSIC, "Such as 'D minor', 'F# dorian', Bb.", "KEY")]
MeterName = Annotated[Text, _option(MUSIC, "Such as 4/4, 3/4, 6/8.", "METER")]
GenreName = Annotated[Text, _option(MUSIC, "See: tunesmith genres.", "NAME")]
Instruments = Annotated[Text, _option(MUSIC, "Instruments that must play; see: tunesmith instruments.", "A,B")]
Without = Annotated[Text, _option(MUSIC, "Instruments, families or roles to leave out.", "A,B")]
FormName = Annotated[Text, _option(MUSIC, "track, loop, sting, bumper or bed.", "FORM")]
Loop = Annotated[bool, _option(MUSIC, "A seamless loop.", None, "--loop")]
Intensity = Annotated[Text, _option(MUSIC, "How full it plays throughout.", "0..1")]
Layers = Annotated[Text, _option(MUSIC, "Also the same piece, in sync, at these intensities: 0.2,0.6,1.", "A,B")]
Hits = Annotated[list[str] | None, _option(MUSIC, "A first beat falls exactly here; may be repeated.", "TIME[=climax]")]
Seed = Annotated[Text, _option(MUSIC, "Same seed, same music. Default: drawn.", "N")]
Variations = Annotated[
    int, _option(MUSIC, "So many pieces, with seeds that follow each other.", "N", "-n", "--variations", min=1, max=100)
]
PICK_HELP = "Measure the variations, rank them and mark the best one."
Pick = Annotated[bool, _option(MUSIC, PICK_HELP, None, "--pick")]
Keep = Annotated[str, _option(MUSIC, "With --pick: keep the files of all, or only the best.", "all|best", "--keep")]
MODEL_HELP = "composer, a model (see: tunesmith list), hf:OWNER/NAME or replicate:OWNER/NAME."
Model = Annotated[str, _option(MUSIC, MODEL_HELP, "NAME")]
SAFE_HELP = "Refuse a model or a recording whose licence does not allow commercial use."
CommercialSafe = Annotated[bool | None, _option(MUSIC, SAFE_HELP, None, "--commercial-safe/--no-commercial-safe")]
REVENUE_HELP = "With --commercial-safe: your revenue is below the limit of licences that are free below one."
REVENUE_FLAGS = "--revenue-below-limit/--no-revenue-below-limit"
RevenueBelowLimit = Annotated[bool | None, _option(MUSIC, REVENUE_HELP, None, REVENUE_FLAGS)]

NegativePrompt = Annotated[Text, _option(MODELS, "What to stay away from (experimental).", "TEXT")]
Guidance = Annotated[Text, _option(MODELS, "How closely to follow the prompt, 1 to 20. Default: 3.", "N")]
Temperature = Annotated[Text, _option(MODELS, "How adventurous, 0 to 10; 0 is never. Default: 1.", "N")]
TopK = Annotated[Text, _option(MODELS, "Draw from so many likeliest codes; 0 is all. Default: 250.", "N")]
TopP = Annotated[Text, _option(MODELS, "Draw from the likeliest codes that hold this share instead.", "0..1")]
AudioFile = Annotated[
    Text, _option(MODELS, "A recording: with --continue, --strength or --repaint.", "FILE", "--audio")
]
Continue = Annotated[bool, _option(MODELS, "Go on from --audio; it begins the result.", None, "--continue")]
Steps = Annotated[Text, _option(MODELS, "Steps of a diffusion model, 1 to 500. Default: the model's, such as 8.", "N")]
EndingName = Annotated[
    Text, _option(MODELS, "The piece ends by itself, or is cut. Default: cut.", "natural|cut", "--ending")
]
STRENGTH_HELP = "Make --audio anew, this much: redress, reimagine, inspired, or a number; 0 keeps all."
Strength = Annotated[Text, _option(MODELS, STRENGTH_HELP, "0..1")]
SCHEDULE_HELP = "With --strength: noise that only falls (default), or the model's reference schedule."
ScheduleName = Annotated[Text, _option(MODELS, SCHEDULE_HELP, "monotonic|reference", "--schedule")]
Repaint = Annotated[Text, _option(MODELS, "Make these seconds of --audio anew, keep the rest: 4-8,16-20.", "A-B,C-D")]
MelodyFile = Annotated[Text, _option(MODELS, "A recording whose melody to follow (melody models).", "FILE", "--melody")]

MaxCalls = Annotated[
    Text, _option(HOSTED, "Make no more calls than this, counted over all runs: 1000/day.", "N/UNIT", "--max-calls")
]
HOSTED_HELP = "The service's token; better in HF_TOKEN or REPLICATE_API_TOKEN."
HostedToken = Annotated[Text, _option(HOSTED, HOSTED_HELP, "TOKEN", "--hosted-token")]

Loudness = Annotated[
    Text, _option(SOUND, "Integrated loudness, -40 to -8. Default: the genre's or the score's.", "LUFS")
]
SampleRateHz = Annotated[Text, _option(SOUND, "8000 to 96000. Default: 44100.", "HZ")]
Mono = Annotated[bool, _option(SOUND, "One channel.", None, "--mono")]
SoundFontFile = Annotated[Text, _option(SOUND, "An SF2 or SF3 bank to play from.", "FILE")]
