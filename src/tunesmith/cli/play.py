"""``tunesmith play``: play a file or a track; ``generate --play`` shares its last step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tunesmith.config import Settings
    from tunesmith.generated_stream import GeneratedStream

PlayedArgument = Annotated[str, typer.Argument(metavar="FILE|ID", help="A sound file, or a track's id.")]


def play(source: PlayedArgument) -> None:
    """Play a sound file, or a track of the prompt log.

    tunesmith play calm.wav
    """
    from tunesmith.audio.reader import read_audio
    from tunesmith.config import load_settings
    from tunesmith.playback import SoundPlayer, find_player, play_blocks

    audio = read_audio(_path_of(source, load_settings()))
    open_output = find_player()
    with SoundPlayer(open_output(audio.sample_rate, audio.channels)) as player:
        play_blocks(player, audio.blocks(), audio.sample_rate, audio.channels, audio.num_samples)
        player.finish()


@contextmanager
def playing(wanted: bool, pieces: int) -> Iterator[Callable[[GeneratedStream], None] | None]:
    """Yield what plays a stream while it is made, None unless ``wanted``; at the end wait until it is played.

    A player that fails is a warning: the music is there. Raises InvalidRequest if nothing can play here.
    """
    if not wanted:
        yield None
        return
    from tunesmith.cli.console import print_warning
    from tunesmith.errors import InvalidRequest, PlaybackError
    from tunesmith.playback import SoundPlayer, find_player, play_blocks

    if pieces != 1:
        raise InvalidRequest("play", f"plays one piece, got --variations {pieces}")
    open_output = find_player()
    players: list[SoundPlayer] = []

    def listen(stream: GeneratedStream) -> None:
        try:
            players.append(SoundPlayer(open_output(stream.sample_rate, stream.channels)))
        except PlaybackError as error:
            print_warning(f"play: {error}")
            return
        play_blocks(players[0], stream, stream.sample_rate, stream.channels, stream.num_samples)

    try:
        yield listen
        for player in players:
            player.finish()
    except PlaybackError as error:
        print_warning(f"play: {error}")
    finally:
        for player in players:
            player.stop()


def _path_of(source: str, settings: Settings) -> Path:
    """Return the path of a file, or of a track's file; raise TrackNotFound, or InvalidRequest if it is none to play."""
    from tunesmith.cli.track_commands import HERE, file_state
    from tunesmith.errors import InvalidRequest
    from tunesmith.library.prompt_log import prompt_log
    from tunesmith.source_tracks import check_no_score, is_file_name

    check_no_score(source)
    if is_file_name(source):
        return Path(source)
    with prompt_log(settings) as tracks:
        track = tracks.get(source)
    path, state = file_state(track, settings.data_dir)
    if path is None or state != HERE:
        raise InvalidRequest("play", f"the file of {track.id} is {state}; make it anew: tunesmith again {track.id}")
    return path
