"""ApiClient: the calls of a Tunesmith server, as coroutines over any transport."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunesmith.client.http import error_from_reply, open_with_retries, send_with_retries
from tunesmith.client.job_flow import (
    audio_path,
    download,
    post_once,
    read_file,
    run_job,
    run_variation,
    submission_of,
    wait_for_job,
)
from tunesmith.client.remote_job import Clip, ProgressListener, RemoteJob
from tunesmith.client.reply import Reply, ReplyBody
from tunesmith.client.request_fields import change_fields
from tunesmith.client.retries import Deadline, pause_after
from tunesmith.client.transport import ApiRequest, Transport
from tunesmith.errors import InvalidRequest, ServerUnreachable
from tunesmith.files import atomic_write

Document = dict[str, Any]
SILENCE_SECONDS = 60.0
"""How long a stream of server-sent events may be silent before the client reconnects; the server keeps it alive."""


class ApiClient:
    """A client whose calls are coroutines. ``fields`` are fields of a request for music, such as model and duration.

    A melody, or audio to continue or change, is given as bytes or as a Path. Every call raises ApiError (TokenRefused,
    NotFound, ServerBusy), ServerUnreachable and DeadlineExceeded.
    """

    def __init__(self, transport: Transport, deadline_seconds: float) -> None:
        self._transport = transport
        self._deadline_seconds = deadline_seconds

    async def generate(
        self, /, prompt: str, *, progress: ProgressListener | None = None, deadline: float | None = None, **fields: Any
    ) -> Clip:
        """Make music and return it.

        An idempotency key keeps retries from creating a second job. The job is cancelled if the deadline (seconds)
        passes or the caller stops waiting. ``progress`` is called with the RemoteJob as it advances. Raises
        GenerationFailed if the job fails.
        """
        ends = self._deadline(deadline)
        job = await run_job(self._transport, submission_of(prompt, fields), ends, progress)
        return Clip(await read_file(self._transport, audio_path(job), ends), job)

    async def stream(
        self, /, prompt: str, *, progress: ProgressListener | None = None, deadline: float | None = None, **fields: Any
    ) -> AsyncGenerator[bytes, None]:
        """Make music and yield its file in chunks; otherwise like generate."""
        ends = self._deadline(deadline)
        job = await run_job(self._transport, submission_of(prompt, fields), ends, progress)
        # A caller that stops early must release the connection, too.
        async with aclosing(download(self._transport, audio_path(job), ends)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def submit(self, /, prompt: str, *, idempotency_key: str | None = None, **fields: Any) -> RemoteJob:
        """Submit a job without waiting for it; one with the same ``idempotency_key`` and request gives the same job."""
        submission = submission_of(prompt, fields, idempotency_key)
        reply = await send_with_retries(self._transport, submission, self._deadline())
        return RemoteJob.of(reply.document())

    async def job(self, job_id: str) -> RemoteJob:
        """Return a job as it is now."""
        return await self._job(job_id, self._deadline())

    async def jobs(self, *, states: Iterable[str] = (), limit: int | None = None) -> list[RemoteJob]:
        """Return the newest jobs, at most ``limit``, in one of ``states`` (all if empty)."""
        reply = await self._send("GET", "/api/jobs", query={"state": list(states), "limit": limit})
        return [RemoteJob.of(job) for job in reply.part("jobs")]

    async def wait(
        self, job_id: str, *, progress: ProgressListener | None = None, deadline: float | None = None
    ) -> RemoteJob:
        """Wait for the end of a job and return it; ``deadline`` is in seconds."""
        return await wait_for_job(self._transport, quote(job_id, safe=""), self._deadline(deadline), progress)

    async def follow(self, job_id: str) -> AsyncGenerator[RemoteJob, None]:
        """Yield a job now and at every change until its end; reconnect if the connection breaks."""
        request = ApiRequest("GET", _path("jobs", job_id, "events"), streams=True)
        breaks = 0
        while True:
            # httpx applies this limit to each read, too, so it must allow for the longest silence.
            opening = Deadline.after(max(SILENCE_SECONDS, self._deadline_seconds))
            async with aclosing(await open_with_retries(self._transport, request, opening)) as body:
                # A broken connection is no error: the job goes on, and a new stream begins with its present state.
                with suppress(ServerUnreachable):
                    while (event := await _next_event(body)) is not None:
                        job, breaks = RemoteJob.of(event.document()), 0
                        yield job
                        if job.is_final:
                            return
            breaks += 1
            # A reply without Retry-After: the pause is the plain back-off.
            await self._transport.sleep(pause_after(breaks, Reply(0)))

    async def audio(self, job_id: str, *, deadline: float | None = None) -> bytes:
        """Return the file of a job; raises GenerationFailed unless the job has succeeded."""
        ends = self._deadline(deadline)
        return await read_file(self._transport, audio_path(await self._job(job_id, ends)), ends)

    async def download(self, job_id: str, path: str | Path, *, deadline: float | None = None) -> Path:
        """Write the file of a job in chunks as it arrives, and return its path.

        The file appears under its name once it is complete. Raises GenerationFailed unless the job has succeeded.
        """
        ends = self._deadline(deadline)
        source = audio_path(await self._job(job_id, ends))
        target = Path(path)
        with atomic_write(target) as file:
            async with aclosing(download(self._transport, source, ends)) as chunks:
                async for chunk in chunks:
                    file.write(chunk)
        return target

    async def cancel(self, job_id: str) -> RemoteJob:
        """Cancel a job unless it has ended, and return its new state."""
        return RemoteJob.of((await self._send("DELETE", _path("jobs", job_id))).document())

    async def tracks(
        self, search: str | None = None, *, model: str | None = None, starred: bool | None = None,
        tag: str | None = None, limit: int | None = None,
    ) -> list[Document]:  # fmt: skip
        """Return the newest tracks of the server's prompt log that match, at most ``limit``."""
        query = {"search": search, "model": model, "starred": starred, "tag": tag, "limit": limit}
        return list((await self._send("GET", "/api/tracks", query=query)).part("tracks"))

    async def each_track(
        self, search: str | None = None, *, model: str | None = None, starred: bool | None = None,
        tag: str | None = None, page_size: int | None = None,
    ) -> AsyncGenerator[Document, None]:  # fmt: skip
        """Yield every track that matches, the newest first; request pages as needed."""
        query = {"search": search, "model": model, "starred": starred, "tag": tag, "limit": page_size}
        before: int | None = None
        while True:
            page = await self._send("GET", "/api/tracks", query={**query, "before": before})
            for track in page.part("tracks"):
                yield track
            # A cursor rather than an offset, so that new tracks do not shift the pages.
            before = page.part("next_before")
            if before is None:
                return

    async def track(self, track_id: str) -> Document:
        """Return a track."""
        return (await self._send("GET", _path("tracks", track_id))).document()

    async def track_audio(self, track_id: str) -> bytes:
        """Return a track's file."""
        return await self._read_file(_path("tracks", track_id, "audio"))

    async def score(self, job_id: str) -> Document:
        """Return what the composer writes for a job, in any state of it: notes, sections and chords."""
        return (await self._send("GET", _path("jobs", job_id, "score"))).document()

    async def track_score(self, track_id: str) -> Document:
        """Return what the composer has written for a track: notes, sections and chords."""
        return (await self._send("GET", _path("tracks", track_id, "score"))).document()

    async def track_peaks(self, track_id: str, points: int = 1_000) -> Document:
        """Return the outline of a track's file in at most ``points`` points, up to 4096."""
        return (await self._send("GET", _path("tracks", track_id, "peaks"), query={"points": points})).document()

    async def track_midi(self, track_id: str) -> bytes:
        """Return the notes of a track by the composer, as a MIDI file."""
        return await self._read_file(_path("tracks", track_id, "midi"))

    async def track_stems(self, track_id: str) -> bytes:
        """Return the parts of a track by the composer, as WAV files in a ZIP."""
        return await self._read_file(_path("tracks", track_id, "stems"))

    async def track_layers(self, track_id: str, intensities: Sequence[float] = (0.3, 0.6, 1.0)) -> bytes:
        """Return intensity layers (0 to 1) of a track by the composer: WAV files and ``layers.json`` in a ZIP."""
        wanted = ",".join(f"{intensity:g}" for intensity in intensities)
        return await self._read_file(_path("tracks", track_id, "layers"), {"intensities": wanted})

    async def mark(
        self, track_id: str, *, starred: bool | None = None, rating: int | None = None, tags: list[str] | None = None
    ) -> Document:
        """Star, rate (0 to 5) or tag a track and return it."""
        marks = _without_none({"starred": starred, "rating": rating, "tags": tags})
        return (await self._send("PATCH", _path("tracks", track_id), marks)).document()

    async def again(
        self, track_id: str, /, words: str = "", *, progress: ProgressListener | None = None,
        deadline: float | None = None, **fields: Any,
    ) -> Clip:  # fmt: skip
        """Make a track again with a change, by words and fields of a request, and return it; see ``generate``.

        The seed and all that is not named stay; ``change`` of the clip says what was understood. Raises InvalidRequest
        without words and fields.
        """
        body = change_fields(words, fields)
        if not body:
            raise InvalidRequest("words", "must say what to change; the same again is the track's own file")
        ends = self._deadline(deadline)
        variation = post_once(_path("tracks", track_id, "variations"), body)
        job, change = await run_variation(self._transport, variation, ends, progress)
        return Clip(await read_file(self._transport, audio_path(job), ends), job, change)

    async def understand(self, track_id: str, /, words: str = "", **fields: Any) -> Document:
        """Return what words and fields would change about a track, without making anything."""
        body = {**change_fields(words, fields), "explain": True}
        change = (await self._send("POST", _path("tracks", track_id, "variations"), body)).part("change")
        return dict(change or {"changes": [], "not_understood": [], "notes": []})

    async def tree(self, track_id: str) -> Document:
        """Return the tree of a track's variations, from the first track on, with what each one changes."""
        return (await self._send("GET", _path("tracks", track_id, "tree"))).document()

    async def vary(self, /, track_id: str, n: int | None = None, words: str = "", **fields: Any) -> list[RemoteJob]:
        """Submit variations of a track and return their jobs: with a change one of the same seed, else five.

        With ``n``, so many, with seeds that follow the track's own. ``words`` and ``fields`` are as in ``again``.
        """
        deadline = self._deadline()
        body = _without_none({**change_fields(words, fields), "n": n})
        request = post_once(_path("tracks", track_id, "variations"), body)
        reply = await send_with_retries(self._transport, request, deadline)
        return [await self._job(job["id"], deadline) for job in reply.part("jobs")]

    async def edit_score(
        self, track_id: str, *, chords: Mapping[int, str] | None = None,
        sections: Sequence[str | tuple[str, int]] | None = None, transpose: int | None = None,
    ) -> RemoteJob:  # fmt: skip
        """Edit the score of a track by the composer, and return the job of the edited piece.

        ``chords`` are by bar, from 1: ``{5: "Fm7", 6: "C:2 G7:2"}``. ``sections`` are names in the order in which they
        sound, with their bars where these change; ``transpose`` is in semitones.
        """
        named = [one if isinstance(one, str) else f"{one[0]}={one[1]}" for one in sections or ()]
        edits = {"chords": chords, "sections": named or None, "transpose": transpose}
        deadline = self._deadline()
        request = post_once(_path("tracks", track_id, "score-edits"), _without_none(edits))
        job = (await send_with_retries(self._transport, request, deadline)).part("job")
        return await self._job(job["id"], deadline)

    async def forget(self, track_id: str) -> None:
        """Remove a track from the prompt log."""
        await self._send("DELETE", _path("tracks", track_id))

    async def models(self) -> list[Document]:
        """Return the models that are on the server or can be pulled."""
        return list((await self._send("GET", "/api/models")).part("models"))

    async def pull(self, /, model: str, **fields: Any) -> AsyncGenerator[Document, None]:
        """Install a model on the server and yield its progress; a server with tokens requires one of scope admin."""
        request = post_once("/api/models/pull", {"model": model, **fields}, streams=True)
        opening = Deadline.after(SILENCE_SECONDS)
        async with aclosing(await open_with_retries(self._transport, request, opening)) as body:
            while (event := await _next_event(body)) is not None:
                document = event.document()
                if "error" in document:
                    # The stream began with status 200, which is not the status of the error in it.
                    raise error_from_reply(replace(event, status=500))
                yield document
                # The last event holds only the name of the installed model.
                if set(document) == {"name"}:
                    return
        raise ServerUnreachable("the connection ended before the model was installed")

    async def explain(self, /, prompt: str, **fields: Any) -> Document:
        """Return what the composer makes of a request, and why; ``fields`` are those of ``submit``, without files."""
        return (await self._send("POST", "/api/explain", {"prompt": prompt, **fields})).document()

    async def loaded(self) -> list[Document]:
        """Return the models in the server's memory, and when it unloads them."""
        return list((await self._send("GET", "/api/ps")).part("models"))

    async def version(self) -> str:
        """Return the server's version."""
        return str((await self._send("GET", "/api/version")).part("version"))

    def _deadline(self, seconds: float | None = None) -> Deadline:
        return Deadline.after(self._deadline_seconds if seconds is None else seconds)

    async def _job(self, job_id: str, deadline: Deadline) -> RemoteJob:
        request = ApiRequest("GET", _path("jobs", job_id))
        return RemoteJob.of((await send_with_retries(self._transport, request, deadline)).document())

    async def _read_file(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        return await read_file(self._transport, path, self._deadline(), query)

    async def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Reply:
        request = ApiRequest(method, path, body, _without_none(query or {}))
        return await send_with_retries(self._transport, request, self._deadline())


async def _next_event(body: ReplyBody) -> Reply | None:
    """Return the data of the next server-sent event, None at the end of the stream."""
    while (line := await body.next_line()) is not None:
        # Other lines are comments that keep the connection alive, and names of events.
        if line.startswith("data:"):
            return Reply(200, content=line[5:].encode())
    return None


def _path(*parts: str) -> str:
    # A slash in an id must not become another part of the path.
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def _without_none(values: Mapping[str, Any]) -> Document:
    return {name: value for name, value in values.items() if value is not None}
