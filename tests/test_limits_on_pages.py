"""The limits that pages state are those of the code; the HTTP API, live streams and settings have their own tests."""

from __future__ import annotations

import pytest
from doc_pages import read_page

from tunesmith import layer_intensities
from tunesmith.audio.decode_check import MAX_CHANNELS, SAMPLES_A_SECOND
from tunesmith.audio.decoder import HIGHEST_RATE, LOCAL_LIMITS, LOWEST_RATE
from tunesmith.composer.midi_in import parser, song
from tunesmith.composer.score_file.size import ALWAYS_ALLOWED_CHARACTERS, MAX_GROWTH
from tunesmith.hosted.http_client import LONGEST_ANSWER_BYTES
from tunesmith.jobs.uploads import MAX_AUDIO_SECONDS, MAX_UPLOADED_SCORE_BYTES
from tunesmith.library import track_tree
from tunesmith.request import MAX_DURATION_SECONDS
from tunesmith.server.apis.native import edits, jobs, tracks
from tunesmith.server.apis.native.edits import EditBody
from tunesmith.server.apis.replicate.files import MAX_FILE_BYTES
from tunesmith.server.middleware.request_limits import MAX_BYTES_WITHOUT_RECORDING
from tunesmith.server.sound_edits import LONGEST_SECONDS
from tunesmith.server.upload_limits import MIN_COUNTED_BYTES

BARS, LOUDNESS = (
    next(one for one in EditBody.model_json_schema()["properties"][name]["anyOf"] if one["type"] != "null")
    for name in ("bars", "loudness_lufs")
)
NUMBERS = {1: "one", 4: "four", 5: "five"}
STATED = [
    ("docs/sound-files.md", (f"has less than {LOWEST_RATE:,} or more than {HIGHEST_RATE:,} samples a second, "
     f"more than {LOCAL_LIMITS.channels} channels, or more than {LOCAL_LIMITS.seconds / 3600:g} hours")),
    ("docs/sound-files.md", (f"a recording may have 1 to {MAX_CHANNELS} channels, at most half an hour, and no more "
     f"samples than half an hour of stereo at {SAMPLES_A_SECOND / 2_000:g} kHz")),
    ("docs/http-api.md", (f"all sources together, at most {edits.MAX_SOURCES}, last half an hour at most; `bars` are "
     f"{BARS['minimum']} to {BARS['maximum']}, `loudness_lufs` −{-LOUDNESS['minimum']} to −{-LOUDNESS['maximum']}, "
     f"times up to {MAX_AUDIO_SECONDS:g} s")),
    ("docs/http-api.md", f"takes longer than {NUMBERS[round(LONGEST_SECONDS / 60)]} minutes is ended"),
    ("docs/http-api.md", f"a MIDI file in base64, at most {MAX_UPLOADED_SCORE_BYTES // 10**6} MB"),
    ("docs/http-api.md", f"`limit` ({jobs.PAGE}, at most {jobs.MAX_PAGE})"),
    ("docs/http-api.md", f"page size (at most {tracks.MAX_PAGE})"),
    ("docs/http-api.md", (f"at most {track_tree.MAX_TRACKS} tracks and {track_tree.MAX_GENERATIONS} generations, "
     f"{track_tree.MAX_ANCESTORS} of them above the track")),
    ("docs/replicate.md", f"at most {MAX_FILE_BYTES // 10**6} MB"),
    ("docs/deployment.md", f"A request is at most {MAX_BYTES_WITHOUT_RECORDING // 10**6} MB or"),
    ("docs/configuration.md", f"Each counts as at least {MIN_COUNTED_BYTES // 10**6} MB"),
    ("docs/score-file.md", f"at most {ALWAYS_ALLOWED_CHARACTERS:,} characters, or {NUMBERS[MAX_GROWTH]} times its own"),
    ("docs/score-file.md", (f"formats 0 and 1, {parser.MAX_BYTES // 10**6} MB, {song.MAX_NOTES:,} notes, "
     f"{song.MAX_VOICES} voices, {MAX_DURATION_SECONDS / 60:g} minutes")),
    ("docs/layers.md", f"Choose up to {layer_intensities.MAX_LAYERS} intensities"),
    ("SECURITY.md", f"make us read more than {LONGEST_ANSWER_BYTES >> 20} MiB"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "sentence"), STATED)
def test_a_page_states_the_limit_that_holds(page: str, sentence: str) -> None:
    assert MAX_AUDIO_SECONDS == 30 * 60  # "half an hour"
    assert sentence in " ".join(read_page(page).split())
