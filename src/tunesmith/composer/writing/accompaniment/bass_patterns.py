"""Bass patterns as text, by style and meter, each list from calm to busy.

One character is a sixteenth: ``r`` root, ``R`` accented root, ``g`` ghost note, ``f`` fifth, ``o`` octave, ``t`` third,
``s`` sixth or seventh, ``w`` a step of a scale walk into the next root, ``a`` approach note to the next root, ``-``
hold, ``.`` rest. Bars and alternatives are those of step_patterns.cycle_bar.
"""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.composer.writing.step_patterns import Patterns

BASS_PATTERNS: Mapping[str, Patterns] = {
    "root": {
        "4/4": (
            "R--------------- R-----------f--- R-------f---a---|R--------------- R-------f------- R-----------w-w-",
            "R-------r------- R-------f---r--- R-----f-r---w-w-|R-----..f------- R-----..r---f--- R-----..f---w-a-",
            "R-----..r-----a- R-----r-f-----a- R-----r-f-r-w-w-|R---r-..f---r-a- R---r-..f-r---a- R---r-f-r-w-w-w-",
        ),
        "3/4": ("R----------- R-------f--- R-------w-w-", "R-------f--- R-------a--- R---f---w-w-"),
        "6/8": ("R----------- R-----f----- R-----f-w-w-", "R-----f----- R-----r---a- R-----f-w-w-"),
    },
    "root_fifth": {
        "4/4": (
            "R-----..f-----.. R-----..f-----.. R-----..w-w-w-w-|R-----..f-----.. R-----..f---r--- R-----..f---w-w-",
            "R-----r-f-----a- R-----..f---f-a- R-----r-w-w-w-w-|R-----..f---r--- R-----..f---w-w- R-----..w-w-w-w-",
        ),
        "3/4": ("R-------f--- R-------a--- R---w---w-w-", "R-----f-a--- R-----f-f--- R---w-w-w-w-"),
        "6/8": ("R----.f----. R----.f---a- R----.w-w-w-", "R---r-f---a- R---r-f-r-a- R---r-w-w-w-"),
    },
    "eighths": {
        "4/4": (
            "R---r---r---r--- R---r---r---f--- R---r---f---w-w-|R-----r-r---r--- R-----r-r---f--- R-----r-f---w-w-",
            "R-r-r-r-r-r-r-r- R-r-r-r-r-r-f-r- R-r-r-r-r-f-w-w-|R-r-r-r-f-r-r-r- R-r-r-r-f-r-o-r- R-r-r-f-r-w-w-w-",
            "R-r-r-r-R-r-r-a- R-r-r-o-R-r-f-a- R-r-r-r-f-r-w-w-|R-r-o-r-R-r-f-r- R-r-o-r-f-r-r-a- R-r-o-r-f-w-w-w-",
        ),
        "3/4": ("R---r---r--- R---r---f--- R---r---w-w-", "R-r-r-r-f-a- R-r-r-r-f-r- R-r-f-r-w-w-"),
        "6/8": ("R---r-r---r- R---r-r---f- R---r-f-w-w-", "R-r-r-R-r-a- R-r-r-f-r-a- R-r-r-w-w-w-"),
    },
    "octaves": {
        "4/4": (
            "R-..o-..r-..o-.. R-..o-..f-..o-.. R-..o-..r-o-w-w-",
            "R-o-r-o-r-o-r-o- R-o-r-o-f-o-r-o- R-o-r-o-f-o-w-w-|R-o-r-o-r-o-f-o- R-o-r-o-r-of.o-a R-o-r-o-f-ow-w-w",
            "R-o-r-o-f-o-r-a- R-o-rgo-f-ogr-o- R-o-rgo-f-o-w-w-|Rgo-rgo-r-o-fgo- Rgo-rgo-f-o-t-o- Rgo-rgo-f-w-w-w-",
        ),
        "3/4": ("R-o-r-o-f-o- R-o-r-o-w-w-",),
        "6/8": ("R---o-f---o- R---o-f-o-a-",),
    },
    "offbeat": {
        "4/4": (
            "..r-..r-..r-..r- ..r-..r-..r-..f- ..r-..r-..f-..a-",
            "..r-..r-..r-..o- ..r-..r-..f-..o- ..r-..r-..f-..rr|..r-..rr..r-..r- ..r-..rr..f-..r- ..r-..rr..f-.fo-",
            "..rr..r-..rr..o- ..rr..r-..ff..o- ..rr..r-..rf.o.a|..r-.rr-..r-.ro- ..r-.rr-..f-.fo- ..r-.rr-.rf-.rfo",
        ),
        "3/4": ("..r-..r-..r- ..r-..r-..f-",),
        "6/8": ("....r-....r- ....r-....f-",),
    },
    "syncopated": {
        "4/4": (
            "R-----r---..r--- R-----r---..f--- R-----r-f---w-w-|R-------..r-f--- R-------..r-r--- R-----..f-..w-w-",
            "R--r--r-..r---a- R--r--f-..r---a- R--r--r-..w-w-w-|R-----r-..f-r-a- R-----r-..r---o- R-----r-f-..w-w-",
            "R--r-.r-o-.r--a- R--r-.f-o-.r-fa- R--r-.r-f-w-w-w-|R-.r..r-f-.or-a- R-.r..r-t-.ff-a- R-.r..r-f-w-w-w-",
        ),
        "3/4": ("R-----r---a- R-----f---a- R-----w-w-w-",),
        "6/8": ("R---r-..r-a- R---f-..r-a- R---r-..w-w-",),
    },
    "sub": {
        "4/4": (
            "R--------------- R-----------f--- R---------o-----",
            "R-----------r--- R-----r-----f--- R---------r-a---",
            "R-----r-----o-a- R-----f-----r--- R-----r---f-o-a-",
        ),
        "3/4": ("R----------- R-------f---",),
        "6/8": ("R----------- R-------f---",),
    },
    "ostinato": {
        "4/4": (
            "R-----f-r------- R-----f-r---f---|R-----r-f---r---",
            "R-r-f-r-o-r-f-r-|R-f-o-f-r-f-o-s-|R-r-o-r-f-r-s-f-",
            "R-rof-r-R-rosrf-|Rgr-o-rgf-r-o-s-|R-rrf-roR-rrs-fo",
        ),
        "3/4": ("R-----f-o-f-", "R-r-f-o-f-r-"),
        "6/8": ("R---f-o---f-", "R-f-o-R-f-o-"),
    },
    "pedal": {
        "4/4": (
            "R---------------",
            "R-------r------- R-------r------- R-------r---o---",
            "R---r---r---r-r- R---r---r-r-r-r- R---r---r---o-r-",
        ),
        "3/4": ("R-----------", "R-----r-r-r- R-----r-r-o-"),
        "6/8": ("R-----------", "R-----r-r-r- R-----r-r-o-"),
    },
    "reggae": {
        "4/4": (
            "..r-t-..f---r-.. ..r-t-..f-r-.... ..r-t-f-..f-t-..|R---..t-f---.... R---..f-t---.... R---..t-f-s-f-..",
            "R-..r-t-..f-r-.. R-..r-t-..f-t-.. R-..r-t-f-s-f-..|..r-r-t-f---..f- ..r-r-t-f-..r-.. ..r-f-t-r---..f-",
            "R--r..t-f-..r-f- R--r..t-f-s-f-.. R--r..t-f-..w-w-",
        ),
        "3/4": ("R-..t-f-r-.. R-..t-f-t-..",),
        "6/8": ("R-..t-f-..r- R-..t-f-..t-",),
    },
    "dub": {
        "4/4": (
            "R-----.......... R-----......f--- R---..f-........",
            "R---..r-....f--- R---..r-........ R---..t-f---....",
            "R-r-....f-r-..o- R-r-....f-r-.... R-r-..t-f-..s-f-",
        ),
        "3/4": ("R-----..f-.. R---..f-....",),
        "6/8": ("R---..f-.... R---..t-f-..",),
    },
    "tumbao": {
        "4/4": (
            "......f-----r--- ......f-----a---",
            "R-....f-----r--- ......f-----r--- ......f-----a---|......f-----r--- ......f---o-r--- ......f-----a---",
            "......f---o-r-a- ......f-t---r-a- ......f---o-w-w-",
        ),
        "3/4": ("R-....f-..a- R-....f-t-a-",),
        "6/8": ("R-....f---r- R-....f---a-",),
    },
    "bossa": {
        "4/4": (
            "R-----..f-----.. R-----..f-----f- R-----..f---a---",
            "R-----r-f-----f- R-----r-f-----r- R-----f-r---w-w-",
            "R-----r-f-----a- R-----f-o-----a- R-----r-f---w-w-",
        ),
        "3/4": ("R-----r-f--- R-----f-a---",),
        "6/8": ("R---r-f---a- R---f-o---a-",),
    },
    "rolling": {
        "4/4": (
            "R---..rr..r-..r- R---..rr..r-..f- R---..rr..f-..rr",
            "R-.rr-.rr-.ro-.r R-.rr-.rf-.ro-.r R-.rr-.rf-.rfo.r",
            ".rrr.rrr.rrr.ror .rrr.rrr.fff.ror .rrr.rrr.rro.fof",
        ),
        "3/4": ("R-rr.rrr.rrr R-rr.rrr.ffr",),
        "6/8": ("R-rr-rR-rr-o R-rr-rR-ff-o",),
    },
    "wobble": {
        "4/4": (
            "R--------------- R-----------r--- R-------o---r---",
            "R-------r---r--- R-------r-----f- R-------o---r-f-",
            "R---r-r-r--r-ro- R---r-r-f--r-ro- R---r-r-r-ro-f-a",
        ),
        "3/4": ("R-----r-r---",),
        "6/8": ("R-----r-----",),
    },
    "gallop": {
        "4/4": (
            "R---r-rrR---r-rr R---r-rrR---f-ff R---r-rrf---w-w-",
            "R-rrR-rrR-rrR-rr R-rrR-rrf-ffR-rr R-rrR-rrf-ffw-w-",
            "R-rrR-rrR-rrf-ff R-rrR-rrf-ffo-oo R-rrR-rrf-ffw-ww",
        ),
        "3/4": ("R-rrR-rrR-rr R-rrR-rrf-ff",),
        "6/8": ("R-rrr-R-rrr- R-rrr-f-fff-",),
    },
    "sixteenths": {
        "4/4": (
            "R-r-r-r-r-r-r-r- R-r-r-r-r-r-o-r- R-r-r-r-f-f-r-o-",
            "RrrrRrrrRrrrRrrr RrrrRrrrRrrrRror RrrrRrrrfrffRroo|R-rrR-rrR-rrR-rr R-rrR-rrR-rrf-ro R-rrR-rrf-ffo-oo",
            "RgroRgrgRgroRgsa RgroRgrgRgrfRgro RgroRgrgfgroRgsa",
        ),
        "3/4": ("RrrrRrrrRrrr RrrrRrrrffrr",),
        "6/8": ("RrrrrrRrrrrr RrrrrrRrfrrr",),
    },
    "boogie": {
        "4/4": (
            "R---t---f---s--- R---t---f---s--- R---f---t---w---",
            "R-r-t-t-f-f-s-s- R-r-t-t-f-f-s-s- R-r-t-t-f-f-w-w-",
            "R-o-t-f-s-o-s-f- R-o-t-f-s-o-s-f- R-o-t-f-s-f-w-w-",
        ),
        "3/4": ("R---t---f---", "R-r-t-t-f-s- R-r-t-t-f-a-"),
        "6/8": ("R---t-f---s-", "R-r-t-f-f-s- R-r-t-f-f-a-"),
    },
    "waltz": {
        "4/4": ("R---------f----- R---------r-----", "R-----r-f-----a- R-----f-r-----a-"),
        "3/4": (
            "R---........ f---........ R---........ R-------a---",
            "R-------.... f-------.... R-------.... R---w---w---",
            "R-------a--- f-------f--- R-------a--- R---w---w-w-",
            "R-------f--- R-------f--- R---f---r--- R---w---w-w-",
        ),
        "6/8": ("R---..f---.. R---..f---a-", "R-----f---a- R-----f-w-w-"),
    },
}
LOCKED_LETTERS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "syncopated": (("rf", "fr", "rt"), ("of", "rfr", "fo"), ("rr", "ft", "rof"), ("tf", "rr", "fs")),
    "sub": (("r", "f", "o"), ("rr", "rf", "fo"), ("r", "o", "rf")),
    "rolling": (("rro", "rfo", "rof"), ("rr", "ff", "ro"), ("ror", "rrf", "of")),
    "wobble": (("r", "f", "o"), ("rr", "ro", "fr"), ("ro", "r", "rf")),
}
"""The letters of the steps in the second half of a bar that locks to the kick: A, A' and B, by style."""
LOCKED_RUN = ((-1.0, "w"), (-0.5, "w"))
"""(beat before the bar's end, letter) of the run that ends the fourth bar of a line that locks to the kick."""
# Styles whose fourth bar walks into the next one.
STEPPING = frozenset({"syncopated"})
TOUCH: Mapping[str, float] = {
    "root": 0.98, "root_fifth": 0.95, "walking": 0.96, "eighths": 0.85, "octaves": 0.75, "offbeat": 0.7,
    "syncopated": 0.88, "sub": 1.0, "ostinato": 0.85, "pedal": 1.0, "reggae": 0.8, "tumbao": 0.9, "bossa": 0.92,
    "rolling": 0.8, "wobble": 0.98, "gallop": 0.75, "sixteenths": 0.7, "boogie": 0.9, "waltz": 0.85, "dub": 0.92,
}  # fmt: skip
"""The share of its written length that a note of each style sounds."""
# Styles that take their rhythm from the kick.
LOCKED = frozenset({"syncopated", "sub", "rolling", "wobble"})
