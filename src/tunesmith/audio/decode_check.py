"""Validation of audio from a caller by decoding all of it."""

from __future__ import annotations

import io

from tunesmith.errors import InvalidRequest

KNOWN = "is not a readable audio file (WAV, AIFF, FLAC, MP3, Ogg, Opus; with FFmpeg M4A, WebM, 3GP, AMR, WMA)"
MAX_CHANNELS = 8
SAMPLES_A_SECOND = 2 * 48_000
"""The limit over all channels, stereo at 48 kHz. The file size is no limit: compressed silence takes few bytes."""


def check_sound(content: bytes, field: str, max_seconds: float) -> float:
    """Return the seconds of a sound; raise InvalidRequest for ``field`` unless all of it decodes within the limits.

    It may have ``max_seconds``, and as many samples as these in stereo at 48 kHz. Headers are not trusted: everything
    is decoded, block by block, until a limit is exceeded.
    """
    from tunesmith.audio.decoder import DecodeError, Decoder, LimitExceeded, NotASound, SoundLimits

    limits = SoundLimits(MAX_CHANNELS, max_seconds, max_seconds * SAMPLES_A_SECOND)
    try:
        with Decoder(io.BytesIO(content), limits) as sound:
            decoded = sum(block.shape[1] for block in sound.blocks())
            seconds = decoded / sound.sample_rate
    except LimitExceeded as error:
        raise InvalidRequest(field, str(error)) from None
    except NotASound as error:
        raise InvalidRequest(field, f"is not usable audio: {error}") from None
    except DecodeError:
        raise InvalidRequest(field, KNOWN) from None
    if not decoded:
        raise InvalidRequest(field, "contains no audio")
    return float(seconds)
