"""Writing sound files: in blocks, to a temporary file that an atomic rename puts in place once complete."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from tunesmith.audio.formats import Format, format_of
from tunesmith.audio.resample import resample_blocks, resampled_length
from tunesmith.audio.sample_format import SampleFormat
from tunesmith.audio.speaker_layout import to_vorbis
from tunesmith.audio.spool import Samples
from tunesmith.audio.tags import write_tags
from tunesmith.audio.tags.riff import clear_peak_time
from tunesmith.audio.wave_header import state_speakers
from tunesmith.errors import AudioFileError, AudioFileWarning, DiskFull
from tunesmith.files import atomic_output, check_folder_writable, sync_path
from tunesmith.plain_text import library_path

if TYPE_CHECKING:
    from tunesmith.audio.buffer import Audio

# A minute of Vorbis in one call overflows libsndfile's stack.
FRAMES = 16_384
SHORT_WRITES = ("System error", "not all bytes were written")
WAV_BYTES = {"PCM_16": 2, "PCM_24": 3, "FLOAT": 4}
# 4 GiB less a reserve for tags; larger files need RF64's 64-bit sizes.
LARGEST_WAV = 0xF000_0000
# A fixed seed: the same sound gives the same bytes.
DITHER_SEED = 0x7475_6E65


def write_audio(audio: Audio, path: Path, *, bits: int | None = None, sample_rate: int | None = None) -> Path:
    """Write the sound to ``path`` in the format of its suffix, with its metadata as tags; return the path.

    ``bits`` is 16, 24 or 32 (float) where the format supports them; by default, the bit depth of the source file, and
    16 for generated sound. At 16 bits, blocks that need more are dithered and others are kept exactly. Sample rates
    that the format does not support are resampled. The same sound gives the same bytes. A power cut leaves either the
    whole file or what ``path`` was before.
    Raises InvalidRequest for an unknown suffix, AudioFileError if the file cannot be written; warns with
    AudioFileWarning of lost precision.
    """
    path, notices = write_with_notices(audio, path, bits=bits, sample_rate=sample_rate, durable=True)
    for notice in notices:
        warnings.warn(f"{path}: {notice}", AudioFileWarning, stacklevel=2)
    return path


def write_with_notices(
    audio: Audio, path: Path, *, bits: int | None = None, sample_rate: int | None = None, durable: bool = False
) -> tuple[Path, tuple[str, ...]]:
    """Write as :func:`write_audio` does, but return the path and the warnings instead of issuing them.

    Only a ``durable`` file is on the disk before it takes its name; this waits for the disk.
    """
    target = format_of(path)
    chosen = target.nearest_bits(audio.sample_format.kept_bits) if bits is None else bits
    subtype = target.subtype(chosen)
    target.check_channels(audio.channels)
    with atomic_output(path) as temporary, writer_error(path):
        written, clipped = _encode(audio, temporary, target, subtype, sample_rate)
        _check_length(temporary, written, path)
        if target.container == "WAV":
            state_speakers(temporary, audio.sample_format.channel_mask)
            clear_peak_time(temporary)
        rate = target.sample_rate(sample_rate or audio.sample_rate)
        write_tags(temporary, target.container, audio.metadata, rate, written)
        if durable:
            sync_path(temporary)
    # A caller who sets a bit depth accepts its precision, so only the default warns.
    return path, tuple(_notices(audio.sample_format, chosen if bits is None else None, clipped))


def _notices(source: SampleFormat, chosen: int | None, clipped: int) -> Iterator[str]:
    """Yield what was lost; ``chosen`` is the default bit depth, None if the caller set one."""
    if chosen and chosen < source.kept_bits:
        yield f"written with {chosen} bits per sample, the most of the format; the source is {source.name}"
    if clipped:
        samples = "1 sample is" if clipped == 1 else f"{clipped} samples are"
        yield f"{samples} above full scale and clipped; lower the gain or write 32 bits (WAV)"


def write_stream(audio: Audio, stream: BinaryIO, suffix: str = ".wav", *, sample_rate: int | None = None) -> None:
    """Write the sound to a binary stream that need not be seekable, such as standard output.

    The file is finished on disk first, because a header that states the length comes before the sound.
    """
    with tempfile.TemporaryDirectory(prefix="tunesmith-") as folder:
        path = write_audio(audio, Path(folder) / f"audio{suffix}", sample_rate=sample_rate)
        with path.open("rb") as file:
            shutil.copyfileobj(file, stream)
        stream.flush()


def check_writable(path: Path, field: str = "output") -> None:
    """Raise the error that writing to ``path`` would raise, before minutes of work."""
    format_of(path, field)
    check_folder_writable(path)


@contextmanager
def writer_error(path: Path) -> Iterator[None]:
    """Turn libsndfile's errors into AudioFileError; it reports a full disk as a short write."""
    import soundfile

    try:
        yield
    except (soundfile.SoundFileError, AssertionError) as error:
        reason = getattr(error, "error_string", "").rstrip(".") or "not all bytes were written"
        if reason in SHORT_WRITES:
            raise DiskFull(f"output: cannot write {path}: the disk is full, or fails") from error
        raise AudioFileError(f"output: cannot write {path}: {reason}") from error


def _encode(audio: Audio, path: Path, target: Format, subtype: str, sample_rate: int | None) -> tuple[int, int]:
    """Encode the samples; return the number of samples per channel, and of clipped samples over all channels."""
    # Here, because soundfile takes long to import.
    from tunesmith.audio.unsynced_file import UnsyncedFile

    rate = target.sample_rate(sample_rate or audio.sample_rate)
    blocks = resample_blocks(audio.blocks(), audio.channels, audio.sample_rate, rate)
    container = _container(audio, target.container, subtype, rate)
    order = to_vorbis(audio.channels) if target.container == "OGG" else None
    sound = UnsyncedFile(
        library_path(path), "w", samplerate=rate, channels=audio.channels, format=container, subtype=subtype
    )
    with sound:
        dither = np.random.Generator(np.random.PCG64(DITHER_SEED))
        written = clipped = 0
        for frames in frames_of_blocks(blocks, order):
            if subtype == "PCM_16":
                sound.write(to_int16(frames, dither))
            else:
                sound.write(to_int24(frames) if subtype == "PCM_24" else frames)
            written += frames.shape[0]
            # Float files keep samples above full scale.
            if subtype != "FLOAT":
                clipped += int(np.count_nonzero(np.abs(frames) > 1))
    return written, clipped


def _container(audio: Audio, container: str, subtype: str, sample_rate: int) -> str:
    """Return the WAV variant that fits the length and the channel mask, or any other container unchanged."""
    if container != "WAV":
        return container
    num_samples = resampled_length(audio.num_samples, audio.sample_rate, sample_rate)
    if num_samples * audio.channels * WAV_BYTES[subtype] > LARGEST_WAV:
        return "RF64"
    # A plain WAV header cannot say which speakers the channels are for.
    return "WAVEX" if audio.channels > 2 and audio.sample_format.channel_mask is not None else container


def frames_of_blocks(blocks: Iterable[Samples], order: tuple[int, ...] | None) -> Iterator[Samples]:
    """Split (channels, n) blocks into (at most FRAMES, channels) pieces for libsndfile, in its channel order."""
    for block in blocks:
        for start in range(0, block.shape[1], FRAMES):
            chunk = block[:, start : start + FRAMES]
            yield np.ascontiguousarray((chunk if order is None else chunk[list(order)]).T)


def to_int16(frames: Samples, random: np.random.Generator) -> npt.NDArray[np.int16]:
    """Round to 16 bits with triangular (TPDF) dither of ±1 step, which turns quantisation distortion into faint noise.

    Frames that are 16-bit samples already, such as silence, stay exactly as they are.
    """
    steps = frames * np.float32(32768)
    if not np.array_equal(steps, np.rint(steps)):
        # The difference of two uniform variables has a triangular distribution.
        noise = random.random(frames.shape, dtype=np.float32) - random.random(frames.shape, dtype=np.float32)
        steps = np.rint(steps + noise)
    rounded: npt.NDArray[np.int16] = np.clip(steps, -32768, 32767).astype(np.int16)
    return rounded


def to_int24(frames: Samples) -> npt.NDArray[np.int32]:
    """Round to 24 bits, in the upper bits of 32; samples of a 24-bit file stay exactly as they are."""
    steps = np.clip(np.rint(frames * np.float32(1 << 23)), -(1 << 23), (1 << 23) - 1)
    upper: npt.NDArray[np.int32] = steps.astype(np.int32) << 8
    return upper


def _check_length(path: Path, written: int, final: Path) -> None:
    """Raise DiskFull if an encoder lost the end of the file on a full disk without an error."""
    import soundfile

    kept = int(soundfile.info(library_path(path)).frames)
    if kept != written:
        raise DiskFull(f"output: cannot write {final}: only {kept} of {written} samples fit")
