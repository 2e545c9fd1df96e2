"""Notebook display of an Audio: an HTML player with the sound embedded."""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

from tunesmith.audio.writer import write_stream

if TYPE_CHECKING:
    from tunesmith.audio.buffer import Audio

# Longer sounds are embedded as MP3, a tenth of the size.
WAV_SECONDS = 10.0
MAX_SECONDS = 600.0


def player_html(audio: Audio) -> str:
    """Return an ``<audio>`` element with the sound embedded; past ten minutes only a line of text."""
    title = html.escape(str(audio.metadata.get("title") or audio.metadata.get("prompt") or repr(audio)))
    if audio.duration > MAX_SECONDS:
        return f"<p>{title}: {audio.duration:.0f} s is too long to play here; use save().</p>"
    suffix, media_type = (".wav", "audio/wav") if audio.duration <= WAV_SECONDS else (".mp3", "audio/mpeg")
    stream = io.BytesIO()
    write_stream(audio, stream, suffix)
    sound = base64.b64encode(stream.getvalue()).decode("ascii")
    player = f'<audio controls src="data:{media_type};base64,{sound}"></audio>'
    return f"<figure><figcaption>{title}</figcaption>{player}</figure>"
