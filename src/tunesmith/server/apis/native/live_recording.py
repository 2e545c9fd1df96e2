"""Recordings of live streams: the last seconds of one as a track of the prompt log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tunesmith.errors import AudioFileError, DiskFull, FolderUnavailable
from tunesmith.library.tracks import NewTrack, TrackFile
from tunesmith.live_stream import LiveSettings, samples_of_bytes
from tunesmith.models.catalog import ModelInfo
from tunesmith.server.apis.native.live_session import SoundShape
from tunesmith.server.apis.native.tracks import track_json
from tunesmith.server.context import ApiContext

SOURCE = "live"


@dataclass(frozen=True, slots=True)
class LiveRecorder:
    """Keeps recordings of one stream, which ``owner`` hears; ``model`` plays it from ``seed``."""

    context: ApiContext
    model: ModelInfo
    seed: int
    owner: str | None

    async def __call__(self, sound: bytes, shape: SoundShape, settings: LiveSettings, form: str) -> dict[str, Any]:
        """Keep a recording; return its track.

        Raises RateLimited, or UploadLimited for too many bytes a day, RateLimitStoreUnavailable, UploadsFull, DiskFull,
        FolderUnavailable and DatabaseError.
        """
        # No job is submitted that would count, and a stream may be recorded again and again.
        await self.context.uploads.check(self.owner)
        await self.context.uploads.count(self.owner, len(sound))
        return await asyncio.to_thread(self._kept, sound, shape, settings, form)

    def _kept(self, sound: bytes, shape: SoundShape, settings: LiveSettings, form: str) -> dict[str, Any]:
        results = self.context.results
        results.prepare()
        path = results.new(f".{form}")
        metadata = self._metadata(settings)
        with self.context.uploads.reserve(len(sound)):
            try:
                duration = _write(sound, shape, path, metadata)
                stored = results.keep(path)
            # The messages of both name a path.
            except DiskFull:
                raise DiskFull("the disk is full: the live stream could not be recorded") from None
            except AudioFileError as error:
                raise FolderUnavailable(results.folder, "the live stream could not be written there") from error
            finally:
                path.unlink(missing_ok=True)
        request = {"prompt": settings.prompt, "model": self.model.name, "seed": self.seed, "duration": duration}
        (track,) = self.context.tracks.add(NewTrack(
            request, self.model.name, self.model.name, SOURCE, duration,
            TrackFile(None, stored.digest, form, stored.bytes), metadata, owner=self.owner,
        ))  # fmt: skip
        return track_json(track, results)

    def _metadata(self, settings: LiveSettings) -> dict[str, Any]:
        manifest = self.model.installed.manifest if self.model.installed else None
        about = {"licence": self.model.licence, "model_digest": manifest.digest if manifest else None}
        return {
            "prompt": settings.prompt, "model": self.model.name, "seed": self.seed,
            "live": settings.model_dump(mode="json"), **{name: value for name, value in about.items() if value},
        }  # fmt: skip


def _write(sound: bytes, shape: SoundShape, path: Any, metadata: dict[str, Any]) -> float:
    """Write a sound file; return its duration in seconds."""
    # Not at the top: few streams are recorded, and writing a file needs modules that a server starts without.
    from tunesmith.audio import Audio
    from tunesmith.audio.writer import write_with_notices

    audio = Audio(samples_of_bytes(sound, shape.channels, shape.encoding), shape.sample_rate, metadata)
    write_with_notices(audio, path)
    return audio.duration
