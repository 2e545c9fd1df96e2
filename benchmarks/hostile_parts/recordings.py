"""Small recordings that unfold into gigabytes, and uploads without end."""

from __future__ import annotations

import base64
import io
import struct
from collections import Counter

import numpy as np
import soundfile as sf

from hostile_parts.requests import count, post, send
from server_parts.running_server import RunningServer

UPLOADS, UPLOAD_BYTES = 50, 10**6  # fewer than the requests that are let through in a minute
BOUNDARY = "hostile"


def slow_wav(rate: int, channels: int, frames: int) -> bytes:
    """Return a silent WAV file of 16 bits with any header."""
    data = bytes(2 * channels * frames)
    form = struct.pack("<IHHIIHH", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16)
    body = b"WAVEfmt " + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def silent_flac(channels: int, seconds: float, rate: int = 192_000) -> bytes:
    """Return a FLAC file of silence, which is small."""
    file = io.BytesIO()
    sf.write(file, np.zeros((int(seconds * rate), channels), np.int16), rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


def unfolding(server: RunningServer) -> Counter[str]:
    """A WAV file of 1 Hz, one of 1,024 channels, FLAC of 8 channels, FLAC of hours: as melodies and as uploads."""
    files = (slow_wav(1, 1, 1740), slow_wav(44_100, 1024, 100), silent_flac(8, 60), silent_flac(1, 600))
    statuses = []
    for content in files:
        text = base64.b64encode(content).decode()
        statuses.append(post(server.port, "/api/jobs", {"prompt": "calm", "duration": 1, "melody": text}))
        given = {"prompt": "calm", "duration": 1, "input_audio": f"data:audio/wav;base64,{text}"}
        statuses.append(post(server.port, "/v1/models/meta/musicgen/predictions", {"input": given}))
        statuses.append(upload(server, content))
    return count(statuses)


def uploads_without_end(server: RunningServer) -> Counter[str]:
    """Uploads of a megabyte by a caller whose quota is used up."""
    noise = np.random.default_rng(0).bytes(UPLOAD_BYTES)
    return count(upload(server, number.to_bytes(4, "big") + noise) for number in range(UPLOADS))


def read_webhook_keys(server: RunningServer) -> Counter[str]:
    """Ask for the key that signs webhooks without a token, on a server where others have tokens."""
    statuses = [send(server.port, "GET", "/v1/webhooks/default/secret")[0]]
    if statuses[0] == 200:
        raise SystemExit("a caller without a token reads a key that signs webhooks")
    return count(statuses)


def upload(server: RunningServer, content: bytes) -> int:
    """Upload a file as Replicate's clients do, and return the status."""
    head = f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="content"; filename="a.wav"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return send(server.port, "POST", "/v1/files", body, **headers)[0]
