"""Bass patterns as text, by style and meter, each list from calm to busy.

One character is a sixteenth: ``r`` root, ``R`` accented root, ``g`` ghost note, ``f`` fifth, ``o`` octave, ``t`` third,
``s`` sixth or seventh, ``a`` approach note to the next root, ``-`` hold, ``.`` rest.
"""

from __future__ import annotations

from collections.abc import Mapping

Patterns = Mapping[str, tuple[str, ...]]

BASS_PATTERNS: Mapping[str, Patterns] = {
    "root": {
        "4/4": ("R---------------", "R-------r-----..", "R-----..r-----a-"),
        "3/4": ("R-----------", "R-------a---"),
        "6/8": ("R-----------", "R-----r---a-"),
    },
    "root_fifth": {
        "4/4": ("R-----..f-----..", "R-----r-f-----a-"),
        "3/4": ("R-------f---", "R-----f-a---"),
        "6/8": ("R----.f----.", "R---r-f---a-"),
    },
    "eighths": {
        "4/4": ("R---r---r---r---", "R-r-r-r-r-r-r-r-", "R-r-r-r-R-r-r-a-"),
        "3/4": ("R---r---r---", "R-r-r-r-r-a-"),
        "6/8": ("R---r-r---r-", "R-r-r-R-r-a-"),
    },
    "octaves": {
        "4/4": ("R-..o-..r-..o-..", "R-o-r-o-r-o-r-o-", "R-o-r-o-f-o-r-a-"),
        "3/4": ("R-o-r-o-r-o-",),
        "6/8": ("R---o-r---o-",),
    },
    "offbeat": {
        "4/4": ("..r-..r-..r-..r-", "..r-..r-..r-..o-", "..rr..r-..rr..o-"),
        "3/4": ("..r-..r-..r-",),
        "6/8": ("....r-....r-",),
    },
    "syncopated": {
        "4/4": ("R-----r---..r---", "R--r--r-..r---a-", "R--r-.r-o-.r--a-"),
        "3/4": ("R-----r---a-",),
        "6/8": ("R---r-..r-a-",),
    },
    "sub": {
        "4/4": ("R---------------", "R-----------r---", "R-----r-----o-a-"),
        "3/4": ("R-----------",),
        "6/8": ("R-----------",),
    },
    "ostinato": {
        "4/4": ("R-----f-r-------", "R-r-f-r-o-r-f-r-", "R-rof-r-R-rosrf-"),
        "3/4": ("R-----f-o-f-", "R-r-f-o-f-r-"),
        "6/8": ("R---f-o---f-", "R-f-o-R-f-o-"),
    },
    "pedal": {
        "4/4": ("R---------------", "R-------r-------", "R---r---r---r-r-"),
        "3/4": ("R-----------", "R-----r-r-r-"),
        "6/8": ("R-----------", "R-----r-r-r-"),
    },
    "reggae": {
        "4/4": ("..r-t-..f---r-..", "R-..r-t-..f-r-..", "R--r..t-f-..r-f-"),
        "3/4": ("R-..t-f-r-..",),
        "6/8": ("R-..t-f-..r-",),
    },
    "dub": {
        "4/4": ("R-----..........", "R---..r-....f---", "R-r-....f-r-..o-"),
        "3/4": ("R-----..f-..",),
        "6/8": ("R---..f-....",),
    },
    "tumbao": {
        "4/4": ("......f-----r---", "R-....f-----r---", "......f---o-r-a-"),
        "3/4": ("R-....f-..a-",),
        "6/8": ("R-....f---r-",),
    },
    "bossa": {
        "4/4": ("R-----..f-----..", "R-----r-f-----f-", "R-----r-f-----a-"),
        "3/4": ("R-----r-f---",),
        "6/8": ("R---r-f---a-",),
    },
    "rolling": {
        "4/4": ("R---..rr..r-..r-", "R-.rr-.rr-.ro-.r", ".rrr.rrr.rrr.ror"),
        "3/4": ("R-rr.rrr.rrr",),
        "6/8": ("R-rr-rR-rr-o",),
    },
    "wobble": {
        "4/4": ("R---------------", "R-------r---r---", "R---r-r-r--r-ro-"),
        "3/4": ("R-----r-r---",),
        "6/8": ("R-----r-----",),
    },
    "gallop": {
        "4/4": ("R---r-rrR---r-rr", "R-rrR-rrR-rrR-rr", "R-rrR-rrR-rrf-ff"),
        "3/4": ("R-rrR-rrR-rr",),
        "6/8": ("R-rrr-R-rrr-",),
    },
    "sixteenths": {
        "4/4": ("R-r-r-r-r-r-r-r-", "RrrrRrrrRrrrRrrr", "RgroRgrgRgroRgsa"),
        "3/4": ("RrrrRrrrRrrr",),
        "6/8": ("RrrrrrRrrrrr",),
    },
    "boogie": {
        "4/4": ("R---t---f---s---", "R-r-t-t-f-f-s-s-", "R-o-t-f-s-o-s-f-"),
        "3/4": ("R---t---f---", "R-r-t-t-f-s-"),
        "6/8": ("R---t-f---s-", "R-r-t-f-f-s-"),
    },
    "waltz": {
        "4/4": ("R---------f-----", "R-----r-f-----a-"),
        "3/4": ("R---........", "R-------....", "R-------a-..", "R-------f---"),
        "6/8": ("R---..f---..", "R-----f---a-"),
    },
}
TOUCH: Mapping[str, float] = {
    "root": 0.98, "root_fifth": 0.95, "walking": 0.96, "eighths": 0.85, "octaves": 0.75, "offbeat": 0.7,
    "syncopated": 0.88, "sub": 1.0, "ostinato": 0.85, "pedal": 1.0, "reggae": 0.8, "tumbao": 0.9, "bossa": 0.92,
    "rolling": 0.8, "wobble": 0.98, "gallop": 0.75, "sixteenths": 0.7, "boogie": 0.9, "waltz": 0.85, "dub": 0.92,
}  # fmt: skip
"""The share of its written length that a note of each style sounds."""
# Styles that take their rhythm from the kick.
LOCKED = frozenset({"syncopated", "sub", "rolling", "wobble"})
