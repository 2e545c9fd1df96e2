"""Accompaniment patterns as text, by style and meter, each list from calm to busy.

One character is a sixteenth: ``c`` the chord, ``C`` accented, ``g`` soft, ``b`` its lowest note, ``l`` the left hand or
the low strings, ``u`` the upper tones, ``1``–``6`` one voice from the bottom, ``t`` the top voice, ``o`` the outer
notes in octaves, ``p`` a push: the next bar's chord, ahead of its bar line; ``-`` hold, ``.`` rest. Bars and
alternatives are those of step_patterns.cycle_bar.
"""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.composer.writing.step_patterns import Patterns

CHORD_PATTERNS: Mapping[str, Patterns] = {
    "block": {
        "4/4": (
            "C--------------- C-------u------- C-----------u---|C--------------- C-----------u--- C-------u---t---",
            "C-------c------- C-----c-----u--- C---u---c---t---|C-----u-----c--- C-----u-c------- C---u---c---u-t-",
            "C-----c-c---u--- C---u---c-----u- C--u--c---u-c-t-|C---u---c-u---u- C--c--u---c---u- C---u-u-c-t-u-t-",
        ),
        "3/4": ("C----------- C-------u--- C-----u-t---", "C-------u--- C---u---c--- C---u---u-t-"),
        "6/8": ("C----------- C-------u--- C-----u---t-", "C-----c----- C-----u---c- C---u-c---t-"),
    },
    "rolled": {
        "4/4": (
            "C--------------- C---------t----- C-------u---t---|C--------------- C-----------u--- C-----u---t-----",
            "C---------u----- C-----u-----t--- C---u---u---t---|C-------u---t--- C-------c------- C---t---u-t-u---",
            "C-----c---u-t--- C---u---c-----t- C-----u-c-t-u-t-|C--u----c---u--- C-----u-c---t--- C--u--u-c-t-u-t-",
        ),
        "3/4": ("C----------- C-------t--- C---u---t---", "C-------u--- C-----u-t--- C---u-t-u-t-"),
        "6/8": ("C----------- C-------t--- C-----u---t-", "C-----u----- C---u-----t- C---u-c-t-u-"),
    },
    "pulse": {
        "4/4": (
            "l---u---c---u--- l---u---u-c-u--- l---u---c-u-t-u-|C---u---l---u--- C---u---l-u-u--- C---u-u-l---t---",
            "C-u-c-u-l-u-c-u- C-u-c-u-l-c-u-u- C-u-c-u-l-t-u-t-|l-u-u-c-u-l-c-u- l-u-u-c-u-u-c-u- l-u-u-c-t-u-t-p-",
            "C-c-u-C-c-u-C-u- C-c-u-C-u-c-C-u- C-c-u-C-u-t-C-p-|C-u-u-C-u-c-u-u- C-u-u-C-u-c-u-t- C-u-C-u-c-t-u-p-",
        ),
        "3/4": ("l---u---u--- l---u---c-u- l---u-u-t---", "C-u-c-u-u-u- C-u-c-u-t-u- C-u-u-c-t-u-"),
        "6/8": ("l-----u-c--- l---u-c---u- l-----u-t-u-", "C-u-u-c-u-u- C-u-u-c-u-t- C-u-c-u-t-u-"),
    },
    "stabs": {
        "4/4": (
            "C.............c. C.........c..... C.....c.......p.|..c...........c. ..c.......c..... ..c...c.......p.",
            "C.....c.......c. C.....c...c..... C..c......c...p.|..c...C.......c. ..c...C...c..... ..c...C..c..c.p.",
            "C..c..c...c...c. C..c..c..c....c. C..c..c...c.c.p.|..C..c....c..c.. ..C..c..c....c.. ..C..c....c..cp.",
            "C..c..C..c..C.c. C..c..C...c.C.c. C..c..C..c.C..p.|C.c..c..C..c..c. C.c..c..C.c..c.. C.c..c..C..cC.p.",
        ),
        "3/4": ("C.......c... C.....c..... C.......c.p.", "C..c....c.c. C..c..c..... C..c..c.c.p."),
        "6/8": ("C.........c. C.....c..... C.......c.p.", "C...c.C...c. C...c.c...c. C.c.c.C...p."),
    },
    "strum": {
        "4/4": (
            ("C-------c---u--- C-------c-u-u--- C-----u-c---u-u-|b---c---b---c--- b---c---b---c-u- b---c---b-u-c-u-"
            "|C-----u-----c--- C-----u-c---u--- C-----u-c-u-c---"),
            ("C---c-u-g-u-c--- C---c-u-g-u-c-u- C---c-u-c-u-g-p-|b---c-u-b---c-u- b---c-u-b-u-c--- b---c-u-b-c-u-u-"
            "|C---c---g-u-c-u- C---c-u-g-u-c--- C-u-c---g-u-c-p-"),
            ("C---c-u-g-u-c-u- C---c-u-g-ugc-u- C-u-c-u-g-u-cup-|b-u-c-u-b-u-c-u- b-u-c-u-b---c-u- b-u-c-u-b-c-u-p-"
            "|C--gc-u-.gu-c-u- C--gc-u-.gu-c-ug C--gc-u-cgu-c-p-"),
            "C-u-c-u-Cgu-c-ug C-u-cgu-C-u-c-u- C-ugc-u-C-ugcup-|C-ugc-u-.gugc-u- C-ugc-u-C-u-c-ug C-ugc-u-cgugc-p-",
        ),
        "3/4": (
            "C---c---c--- C---c---c-u- C---c-u-c-u-|b---c---c--- b---c---u--- b---c-u-c---",
            "C---c-u-c-u- C---c-u-g-u- C-u-c-u-c-u-|b---c-u-c--- b---c-u-c-u- b---c-u-g-u-",
        ),
        "6/8": (
            "C-----c---u- C-----c----- C---u-c---u-|b---u-c---u- b---u-c----- b---u-c-u-u-",
            "C---u-c---u- C---u-c-u-u- C-u-u-c-u-u-",
            "C-u-u-c-u-u- C-u-u-c-ugu- C-ugu-c-ugug",
        ),
    },
    "comp": {
        "4/4": (
            "......c-........ ....c-....c-.... ..c-......c-..p-|....c-.......... ......c-....c-.. ..c-....c-....p-",
            "C-....c-........ ....c-......c-.. ..c-..c-......p-|..c-......c-.... C-....c-..c-.... ......c-..c-..p-",
            "C-....c-..c-.... ..c-..c-....c-.. C-..c-..c-..c.p-|..c-..c...c-.... C-..c-....c...c- ..c-..c.c-..c.p-",
            "..c-..c...C-..c. C-..c.c-..c...c- ..c.c-..C-..c.p-|C-.c..c-..c-.c.. ..c-.c..C-..c... C-.c..c...c-.cp-",
        ),
        "3/4": ("....c-...... ..c-....c-.. C-..c-....p-", "C-....c-.... ..c-..c-.... C-..c-....p-",
                "..c-..c-..c. C-..c-..c... ..c-..c.c-p-"),
        "6/8": ("......c-.... ....c-....c- C-....c-..p-", "C-....c-..c. C-..c-....c- C-....c-c.p-"),
    },
    "skank": {
        "4/4": (
            "....C.......C...", "....C.......C.c. ....C.......C... ....C.c.....C.c.",
            "....C.c.....C... ....C.......C.c. ....C.c.....C.cc",
        ),
        "3/4": ("....c...c... ....c...c.c.",),
        "6/8": ("....c.....c. ....c.c...c.",),
    },
    "offbeat": {
        "4/4": (
            "..c-......c-.... ..c-......c-..c. ..c-..c...c-..c.",
            "..c...c...c...c. ..c...c...c..cc. ..c.c.c...c...c.",
            "..C.c.C...c.C.c. ..C.c.C...C..cc. ..C.c.C..cC.c.c.",
        ),
        "3/4": ("..c...c...c. ..c...c.c.c.",),
        "6/8": ("....c.....c. ....c...c.c.",),
    },
    "alberti": {
        "4/4": (
            "1---3---2---3--- 1---3---2---4--- 1---3---4---t---|1---2---3---4--- 1---2---4---3--- 1---3---t---4---",
            "1-3-2-3-1-4-2-3- 1-3-2-3-2-4-3-4- 1-3-2-4-3-t-4-3-|1-2-3-2-4-2-3-2- 1-2-3-4-3-2-4-3- 1-2-3-4-t-4-3-4-",
            "1323142314243243 132314232434t434 13231424t4342343",
        ),
        "3/4": ("1---3---2--- 1---3---4--- 1---2-3-4---", "1-3-2-3-4-3- 1-3-2-4-3-4- 1-3-4-t-4-3-",
                "1-3-4-3-2-3- 1-3-4-3-4-t- 1-2-3-4-t-4-"),
        "6/8": ("1---3-2---4- 1---3-2-3-4- 1---3-4---t-", "1-2-3-4-3-2- 1-2-3-2-3-4- 1-3-2-4-t-4-",
                "1-2-3-4-3-2- 1-3-2-4-3-t- 1-2-3-4-t-4-"),
    },
    "waltz": {
        "4/4": ("b---u---u---u--- b---u---b---u---", "b---u-u-b---u--- b---u---b-u-u---"),
        "3/4": ("b---u---u--- b---u---t--- b---u---u-t-", "b---u---u-u- b---u-u-u--- b---u-t-u-t-"),
        "6/8": ("b-----u---u- b---u-b---u-", "b-u-u-b-u-u- b-u-u-b-u-t-"),
    },
    "chug": {
        "4/4": (
            "C-------C------- C-------C---c--- C-----c-C---c-c-",
            "C-g-g-C-g-g-C-g- C-g-g-C-g-C-g-g- C-g-g-C-C-g-C-C-|C-g-g-g-C-g-g-g- C-g-g-g-C-g-C-g- C-g-C-g-g-C-C-C-",
            "C-ggg-C-gg-gC-g- C-ggg-C-gg-gC-C- C-ggC-ggC-C-gggg|C-gggCggg-C-gggg C-gggCggg-C-g-C- C-gggCggC-ggC-C-",
            "CgggCgggCgggCggg CgggCggCggCgCggg CggCggCgCggCCgCC",
        ),
        "3/4": ("C-g-g-C-g-g- C-g-g-C-C-g-", "C-ggg-ggC-gg C-ggC-ggC-C-"),
        "6/8": ("C-g-g-C-g-g- C-g-g-C-g-C-", "CgggggCggggg CggCggCgCgCg"),
    },
    "montuno": {
        "4/4": (
            "o..u..o...u...o. ..o.u..o..u.o...",
            "o.uo.uo.o.uo.u.o ..uo.uo.o.u.o.uo o.uo.u.o.uo.uo.o ..uo.uo.o.uo.u.o",
            "o.u.ou.ou.u.ou.o .uo.uo.uo.u.ou.o o.u.ou.ou.uo.u.o .uo.uo.uo.uo.uo.",
        ),
        "3/4": ("o..u..o...u. ..o.u.o..u..",),
        "6/8": ("o...u.o.u.o. ..o.u.o...u.",),
    },
    "tremolo": {
        "4/4": ("C---------------", "CgggcgggCgggcggg CgggcgggCggcggcg", "CgcgcgcgCgcgcgCg CgcgcgCgcgCgCgCg"),
        "3/4": ("C-----------", "CgcgcgcgCgcg CgcgCgcgCgCg"),
        "6/8": ("C-----------", "CgcgcgCgcgcg CgcgcgCgCgCg"),
    },
    "travis": {
        "4/4": (
            "1---3---2---t--- 1---3---2---3-t- 1---t---2---3-t-|1---3-t-2---3--- 1---3-t-2---t--- 1---3-t-2-3-t-3-",
            "1-t-3-2-1-3-2-t- 1-t-3-2-1-3-t-3- 1-3-2-t-3-2-t-3-|1---3-t-2-3-t-3- 1---3-t-2-t-3-2- 1-3-t-3-2-3-t---",
            "1-4-3-2-1-t-2-3- 1-4-3-t-1-3-2-4- 1-t-3-4-2-3-t-4-|1-t-2-3-1-4-2-t- 1-t-2-3-1-4-3-t- 1-3-2-4-3-t-4-3-",
            "t-4-2-3-1-t-2-4- t-4-2-3-1-4-3-t- 1-3-2-t-3-4-t-4-|1-432-t-1-423-t- 1-432-t-1-t-243- 1-t-2-43t-4-3-2-",
        ),
        "3/4": ("1-3-2-t-2-3- 1-3-2-t-3-t- 1-3-t-3-2-3-", "1-t-3-2-t-3- 1-t-3-2-3-t- 1-3-t-4-t-3-"),
        "6/8": ("1-2-3-t-3-2- 1-2-3-4-t-3- 1-3-2-t-4-3-", "1-3-2-t-2-3- 1-3-2-t-3-4- 1-2-3-4-t-4-"),
    },
    "arpeggio": {
        "4/4": (
            "1---2---3---t--- 1---2---3---4-t- 1---3---t---4---|1---3---2---4--- 1---3---2-4-t--- 1---3---4---t-4-",
            ("1-2-3-4-t-4-3-2- 1-2-3-t-4-3-t-3- 1-3-2-4-3-t-4-t-|1-3-2-4-3-t-4-3- 1-3-2-4-t-4-3-4- 1-2-3-t-3-4-t---"
            "|1-2-4-3-t-3-4-2- 1-2-4-3-t-4-t-3- 1-4-3-t-4-3-2-t-"),
            "1-2-3-4-t-4-3-2- 1-2-3-4-t-34t-4- 1-3-2-4-3-t4t-4-|1-23-4t-4-3-2-3- 1-23-4t-3-4-t-4- 1-24-3t-4-3-t-4-",
            "1234t4323t432343 1234t434t4323434 132434t43t434t43",
        ),
        "3/4": ("1---2---3--- 1---2---t--- 1---3---t-3-", "1-2-3-t-3-2- 1-2-3-4-t-3- 1-3-2-t-4-t-",
                "12342t432432 12343t434t43"),
        "6/8": ("1---2-3---t- 1---2-t---3- 1---3-4-t-4-", "1-2-3-t-3-2- 1-2-3-4-t-3- 1-3-t-4-3-t-",
                "123t32143t34 123t43t43234"),
    },
    "pluck16": {
        "4/4": (
            "u...t..u..t..... u...t..u....t... u..t..u...t..t..",
            "C..u..t.u..t..u. C..u..t.u.t..u.. C..u..t.t..u.t.t|u..t.u..t..u.t.. u..t.u..t.u..t.t u..t.u.t..u.t.u.",
            "C..u.t.uu..t.ut. C..u.t.ut.u..t.u C.u..t.ut.ut.u.t|C..t.u.tu..t.u.t C..t.u.tu.t.ut.. C..t.u.tt.ut.utt",
            "C.uu.tu.C.ut.utu C.uu.tu.t.uC.utu C.ut.ut.C.utCtut",
        ),
        "3/4": ("u..t..u.t... u..t.u..t.t.", "C.ut.uu.tu.t C.ut.ut.ut.t"),
        "6/8": ("u..t..u..t.. u..t..u.t.t.", "C.ut.tC.ut.u C.ut.ut.ut.t"),
    },
    "bossa": {
        "4/4": (
            "c-....c-....c-.. c-..c-....c-..p-",
            "l-..u-..l-u-..u- l-u-..u-l-..u-..|C-..c-..c-....c- ..c-..c-..c-..p-",
            "l-.u-.u-l-.u-.u- l-u-..u-l-u-..p-|c-.c-..c-.c-..c- ..c-.c-.c-..c-p-",
            "lgu-.gu.lgu-g.u. lgu.g-u.l-u-g.p-",
        ),
        "3/4": ("C-..c-....c- C-..c-..c-..",),
        "6/8": ("C-....c-..c- C-..c-....c-",),
    },
    "funk16": {
        "4/4": (
            "..c.......c..... ..c.....g.c...c. ..c..c....c.g.p.",
            "..cg..c...cg..c. ..cg..c..gc...c. ..cg.c....cg.cp.|C..g..c....g.c.. C..g..c..c.g.c.. C..g.c....cg.cp.",
            "C.gg..cg.gc.g.c. C.gg..c.g.cg.c.. C.gg.c.g.gc.gcp.|..gcg.c.g.gc.gc. ..gcg.c.gcg.c.g. ..gcg.cgc.gc.cp.",
            "C.gcg.cg.gcgg.cg C.gcg.cgc.gcg.c. C.gcg.cg.gccgcp.",
        ),
        "3/4": ("..cg..cg..c. ..cg.cg.c.c.",),
        "6/8": ("C.gg..cg.gc. C.gg.c.gc.c.",),
    },
    "hits": {
        "4/4": (
            "C............... ................ C............... ..........C.....",
            "C.........C..... ......C......... C.........C..... ..C...C.......p.",
            "C-......C.....C. ..C.......C..... C-......C.....C. ..C...C..C..C.p.",
            "C-.C-.C-....C.C. ..C..C....C-..C. C-.C-.C-....C.C. ..C..C..C.C.C.p.",
        ),
        "3/4": ("C........... ............ C........... ......C.....",
                "C-......C.C. ....C....... C-......C.C. ..C...C...p."),
        "6/8": ("C........... ............", "C-....C...C. ....C.....p."),
    },
    "boogie": {
        "4/4": (
            "C-------c------- C-------c---g---", "C---c-..c---c-.. C---c-..c-c-c-.. C---c-g-c---c-c-",
            "C-c-g-c-C-c-g-c- C-c-g-c-C-g-c-c- C-c-g-c-C-c-C-p-",
        ),
        "3/4": ("C---c-c-c-c- C---c-c-c-g-",),
        "6/8": ("C---c-C---c- C---c-C-c-c-",),
    },
}  # fmt: skip
ACCENTS: Mapping[str, int] = {"C": 90, "c": 76, "g": 46, "b": 80, "l": 74, "u": 68, "o": 88, "t": 72, "p": 82}
# A single voice of a broken chord.
PLAIN_VELOCITY = 70
# Notes that ring into the next one.
LONG_STYLES = frozenset({"arpeggio", "travis", "rolled", "alberti"})
SHORT_STYLES = frozenset({"stabs", "skank", "pluck16", "funk16", "hits", "offbeat"})
