"""Each genre at a glance: a piece of each, with its tempo, key, players, the tagger's first words and its mix measures.

python benchmarks/genres.py [--seconds 20] [--seed 1] [GENRE…]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).parent))
from hardware import print_hardware, print_result
from judges.spectrum import BANDS, MixMeasures, measure
from judges.tags import Tagger

OWN_TAGS: Mapping[str, tuple[str, ...]] = {
    "ambient": ("Ambient music", "New-age music"), "baroque": ("Classical music", "Harpsichord"),
    "big_band": ("Swing music", "Jazz"), "blues": ("Blues",), "boom_bap": ("Hip hop music",),
    "bossa_nova": ("Music of Latin America", "Jazz"), "celtic": ("Folk music", "Traditional music"),
    "chiptune": ("Video game music",), "cinematic": ("Soundtrack music",), "classical": ("Classical music",),
    "corporate": ("Background music", "Happy music"), "country": ("Country", "Bluegrass"),
    "deep_house": ("House music",), "disco": ("Disco",), "drone": ("Ambient music", "Scary music"),
    "drum_and_bass": ("Drum and bass",), "dubstep": ("Dubstep",), "east_asian": ("Music of Asia", "Zither"),
    "epic_orchestral": ("Soundtrack music", "Orchestra"), "fantasy": ("Soundtrack music", "Theme music"),
    "folk": ("Folk music", "Acoustic guitar"), "funk": ("Funk",), "gospel": ("Gospel music", "Soul music"),
    "horror": ("Scary music",), "house": ("House music",), "jazz": ("Jazz",), "kids": ("Music for children",),
    "lofi": ("Hip hop music", "Electric piano"), "march": ("Brass instrument", "Snare drum"),
    "medieval": ("Traditional music", "Folk music"), "metal": ("Heavy metal", "Rock music"),
    "new_age": ("New-age music",), "noir": ("Jazz",), "phonk": ("Drum machine", "Hip hop music"),
    "pop": ("Pop music", "Dance music"), "reggae": ("Reggae",), "rock": ("Rock music",), "salsa": ("Salsa music",),
    "solo_piano": ("Piano",), "soul": ("Soul music", "Rhythm and blues"),
    "synthwave": ("Electronic music", "Synthesizer"), "techno": ("Techno",), "trance": ("Trance music",),
    "trap": ("Hip hop music", "Drum machine"), "tropical": ("Steelpan",), "waltz": ("Classical music", "Orchestra"),
    "afrobeat": ("Afrobeat", "Music of Africa"), "bluegrass": ("Bluegrass", "Banjo"),
    "bollywood": ("Music of Bollywood", "Music of Asia"), "cartoon": ("Pizzicato", "Music for children"),
    "choral": ("A capella", "Vocal music"), "cumbia": ("Music of Latin America", "Accordion"),
    "drill": ("Hip hop music", "Drum machine"), "dub": ("Reggae", "Electronic music"), "flamenco": ("Flamenco",),
    "gamelan": ("Gong", "Mallet percussion"), "hyperpop": ("Electronic dance music", "Electronica"),
    "idm": ("Electronica", "Electronic music"), "klezmer": ("Clarinet", "Traditional music"),
    "kpop": ("Pop music", "Dance music"), "new_wave": ("Synthesizer", "Electronic music"),
    "polka": ("Accordion", "Folk music"), "qawwali": ("Music of Asia", "Tabla"),
    "ragtime": ("Piano", "Jazz"), "reggaeton": ("Music of Latin America", "Dance music"),
    "samba": ("Music of Latin America", "Drum roll"), "sea_shanty": ("Accordion", "Folk music"), "ska": ("Ska",),
    "surf_rock": ("Rock and roll", "Electric guitar"), "tango": ("Accordion", "Violin, fiddle"),
    "vaporwave": ("Electronic music", "Synthesizer"),
    "acoustic_ballad": ("Acoustic guitar", "Tender music"), "christmas": ("Christmas music",),
    "cinematic_piano": ("Piano", "Soundtrack music"), "corporate_tech": ("Background music", "Electronic music"),
    "future_bass": ("Electronic music", "Dubstep"), "indie_folk": ("Ukulele", "Happy music"),
    "jazz_hop": ("Jazz", "Hip hop music"), "mariachi": ("Music of Latin America", "Trumpet"),
    "milonga": ("Accordion", "Music of Latin America"),
    "downtempo": ("Electronic music", "Background music"), "trip_hop": ("Electronic music", "Hip hop music"),
    "melodic_techno": ("Electronic music", "Techno"),
    "middle_eastern": ("Middle Eastern music",),
}  # fmt: skip
"""The tagger's words for each genre, or where it has none those nearest to it."""

FIRST, LAST = "Plucked string instrument", "Scary music"  # the tagger's music tags in its order, but the most general
TOP = 10


@dataclass(frozen=True)
class Portrait:
    """What one genre's piece is and how it was heard."""

    genre: str
    tempo_bpm: float
    key: str
    players: tuple[str, ...]
    heard: tuple[str, ...]  # music tags, the strongest first
    mix: MixMeasures

    @property
    def own_rank(self) -> int:
        """Return the place of the genre's best own tag among the music tags, from 1 on."""
        return 1 + min(self.heard.index(tag) for tag in OWN_TAGS[self.genre])


tagger = cache(Tagger)
"""The tagger, loaded once a process."""


def portray(genre: str, seconds: float, seed: int) -> Portrait:
    """Compose one piece of a genre and measure it."""
    import tunesmith

    composition = tunesmith.compose(f"{genre.replace('_', ' ')} music", genre=genre, duration=seconds, seed=seed)
    audio, score = composition.mix(), composition.score
    scores = tagger().scores(audio.samples, audio.sample_rate)
    names = list(scores)
    music = names[names.index(FIRST) : names.index(LAST) + 1]
    return Portrait(
        genre,
        score.tempo_map.changes[0][1] / score.meter.felt_beat,
        str(score.key),
        tuple(dict.fromkeys(part.instrument for part in score.parts)),
        tuple(sorted(music, key=lambda name: -scores[name])),
        measure(audio.samples, audio.sample_rate),
    )


def print_line(portrait: Portrait) -> None:
    """Print two lines a genre: what is heard and how it is mixed, then who plays."""
    mix = portrait.mix
    print(
        f"{portrait.genre:15} {portrait.tempo_bpm:5.1f} {portrait.key:14} own tag {portrait.own_rank:3}  "
        + " ".join(f"{share:5.1f}" for share in astuple(mix)[: len(BANDS)])
        + f"  {mix.centroid_hz:4.0f} Hz  crest {mix.crest_db:4.1f}  range {mix.level_range_db:4.1f}  "
        f"side {mix.side_mid:.2f}  {mix.onsets_per_second:3.1f}/s  | {', '.join(portrait.heard[:3])}"
    )
    print(" " * 16 + ", ".join(portrait.players))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("genres", nargs="*", metavar="GENRE")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print_hardware()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        work = partial(portray, seconds=options.seconds, seed=options.seed)
        portraits = list(pool.map(work, options.genres or OWN_TAGS))
    for portrait in portraits:
        print_line(portrait)
    ranks = [portrait.own_rank for portrait in portraits]
    shares = {"own_tag_in_top_10": mean(rank <= TOP for rank in ranks), "median_own_rank": median(ranks)}
    print_result({"genres": len(portraits), **shares})


if __name__ == "__main__":
    main()
