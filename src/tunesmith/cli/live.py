"""``tunesmith live``: music without end, steered by lines of text while it plays."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli import options
from tunesmith.cli.batch import Server, Token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from tunesmith.audio import Audio
    from tunesmith.cli.live_sources import LiveSource
    from tunesmith.output_files import OutputFiles
    from tunesmith.playback import SoundPlayer

Second = Annotated[str | None, typer.Option(metavar="TEXT", help="A second prompt to blend in.")]
Blend = Annotated[float, typer.Option(metavar="0..1", help="The share of the second prompt.")]
Notes = Annotated[str | None, typer.Option(metavar="A,B", help="Notes to hold: C4,E4 or 60,64.")]
Drums = Annotated[bool | None, typer.Option("--drums/--no-drums", help="Play drums, or none. Default: as it likes.")]
MODEL_HELP = "A model that plays live. Default: the first one that is installed."
LiveModel = Annotated[str | None, typer.Option("--model", metavar="NAME", help=MODEL_HELP)]
Length = Annotated[str | None, typer.Option(metavar="TIME", help="End after this time: 45, 1:30. Default: Ctrl-C.")]
OUTPUT_HELP = "Also write what is heard: .wav .flac .mp3 .ogg .opus."
Output = Annotated[str | None, typer.Option("-o", "--output", metavar="FILE", help=OUTPUT_HELP)]
Playing = Annotated[bool, typer.Option("--play/--no-play", help="Play it on this machine.")]
MAX_SAMPLES = 2**40
"""What the header of the endless WAV states; a player reads on until its input ends."""


def live(
    prompt: options.Prompt, second: Second = None, blend: Blend = 0.5, notes: Notes = None, drums: Drums = None,
    temperature: options.Temperature = None, model: LiveModel = None, seed: options.Seed = None,
    duration: Length = None, output: Output = None, play: Playing = True, server: Server = None, token: Token = None,
    as_json: options.Json = False, quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Play music without end, and steer it while it plays: each line that you type is a change.

    Lines: blend 0.6 · notes C4 E4 · drums off · second techno · stop; any other line is the prompt.

    tunesmith live "warm lofi" --second techno --blend 0.3
    """
    from tunesmith.cli.live_lines import change_of
    from tunesmith.clock_time import seconds

    fields: dict[str, Any] = {
        "prompt": prompt, "second_prompt": second, "blend": blend, "drums": drums, "temperature": temperature,
        **((change_of(f"notes {notes}") or {}) if notes else {}),
    }  # fmt: skip
    length = None if duration is None else float(seconds(duration))
    files = _files(output, play=play, is_endless=length is None)
    given = {name: value for name, value in fields.items() if value is not None}
    started = time.monotonic()
    with _source(given, model, seed, server, token) as source, contextlib.ExitStack() as open_parts:
        player = open_parts.enter_context(_player(source)) if play else None
        sink = SoundSink(source, player, keeps=files is not None)
        if not quiet:
            typer.echo(f"{source.about['model']} plays; type a change, or stop", err=True)
        _play(source, sink, length)
        if files is not None:
            _write(sink, files, given, started, as_json=as_json, quiet=quiet)


class SoundSink:
    """Takes the sound of a stream: a player hears it, and a temporary file keeps it."""

    def __init__(self, source: LiveSource, player: SoundPlayer | None, *, keeps: bool) -> None:
        from tunesmith.audio.encoded_stream import wav_header
        from tunesmith.audio.spool import Spool

        self._frames = 0
        self.about = source.about
        self._rate, self._channels = source.sample_rate, source.channels
        self._player = player
        self._spool: Spool | None = Spool(source.channels) if keeps else None
        if player is not None:
            player.write(wav_header(source.sample_rate, source.channels, MAX_SAMPLES))

    def take(self, sound: bytes, most: float | None) -> None:
        """Take a block, and of the last one no more than makes ``most`` seconds in all."""
        from tunesmith.live_stream import samples_of_bytes

        frame_bytes = 2 * self._channels
        if most is not None:
            sound = sound[: frame_bytes * (round(most * self._rate) - self._frames)]
        if self._player is not None:
            self._player.write(sound)
        if self._spool is not None:
            self._spool.append(samples_of_bytes(sound, self._channels, "pcm16"))
        self._frames += len(sound) // frame_bytes

    def has(self, seconds: float) -> bool:
        """Return whether so much sound was taken."""
        return self._frames >= round(seconds * self._rate)

    def finish(self) -> None:
        """Return once all is played; a player that fails is a warning."""
        from tunesmith.cli.console import print_warning
        from tunesmith.errors import PlaybackError

        try:
            if self._player is not None:
                self._player.finish()
        except PlaybackError as error:
            print_warning(f"play: {error}")

    def audio(self, metadata: Mapping[str, Any]) -> Audio:
        """Return what was kept."""
        from tunesmith.audio import Audio

        assert self._spool is not None
        return Audio.from_spool(self._spool, self._rate, metadata)


def _play(source: LiveSource, sink: SoundSink, length: float | None) -> None:
    """Play until the length, a line that says stop, or Ctrl-C."""
    from tunesmith.cli.console import print_warning

    is_over = threading.Event()
    threading.Thread(target=_steer, args=(source, is_over), name="lines", daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        for sound in source.blocks():
            sink.take(sound, length)
            for problem in source.problems():
                print_warning(str(problem))
            if length is not None and sink.has(length):
                sink.finish()
                return
            if is_over.is_set():
                return


def _steer(source: LiveSource, is_over: threading.Event) -> None:
    """Change the stream by the lines of standard input; a line that is wrong changes nothing."""
    from tunesmith.cli.console import print_warning
    from tunesmith.cli.live_lines import change_of
    from tunesmith.errors import TunesmithError

    for line in sys.stdin or ():
        try:
            change = change_of(line)
            if change is None:
                is_over.set()
                return
            if change:
                source.change(change)
        except TunesmithError as error:
            print_warning(str(error))


def _files(output: str | None, *, play: bool, is_endless: bool) -> OutputFiles | None:
    from tunesmith.errors import InvalidRequest
    from tunesmith.output_files import OutputFiles

    if output is None and not play:
        raise InvalidRequest("play", "without --play, the sound needs a file: -o FILE")
    if not play and is_endless and not sys.stdin.isatty():
        raise InvalidRequest("duration", "is needed where nobody listens or types")
    return None if output is None else OutputFiles.checked(output, Path(output).suffix)


def _source(
    fields: Mapping[str, Any], model: str | None, seed: str | None, server: str | None, token: str | None
) -> AbstractContextManager[LiveSource]:
    from tunesmith.cli.live_sources import model_source, server_source
    from tunesmith.config import load_settings
    from tunesmith.models.commercial_safety import CommercialPolicy, check_licence
    from tunesmith.models.live_models import live_model
    from tunesmith.request import GenerationRequest

    request = GenerationRequest.checked(prompt=fields["prompt"], seed=seed)
    if server is not None:
        fixed = {name: value for name, value in {"model": model, "seed": request.seed}.items() if value is not None}
        return server_source(server, token, {**fields, **fixed})
    chosen = live_model(model)
    check_licence(CommercialPolicy.of(load_settings()), chosen.name)
    seeded = request.with_drawn_seed()
    assert seeded.seed is not None
    return model_source(chosen, fields, seeded.seed)


def _player(source: LiveSource) -> SoundPlayer:
    from tunesmith.playback import SoundPlayer, find_player

    return SoundPlayer(find_player(while_made=True)(source.sample_rate, source.channels))


def _write(
    sink: SoundSink, files: OutputFiles, fields: Mapping[str, Any], started: float, *, as_json: bool, quiet: bool
) -> None:
    """Write what was heard, log and report it."""
    from tunesmith.cli.console import print_warning, report
    from tunesmith.cli.track_log import log_tracks
    from tunesmith.config import load_settings
    from tunesmith.pipeline import GeneratedMusic, write_music
    from tunesmith.request import GenerationRequest

    about = sink.about
    audio = sink.audio({**about, "prompt": fields["prompt"], "live": dict(fields)})
    request = GenerationRequest.checked(prompt=fields["prompt"], model=about["model"], seed=about["seed"])
    generated = write_music(GeneratedMusic(request, audio), files, "", started, print_warning)
    report(log_tracks(load_settings(), [generated]), as_json, quiet, to_stderr=files.to_standard_output)
