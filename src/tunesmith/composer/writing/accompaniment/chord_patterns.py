"""Accompaniment patterns as text, by style and meter, each list from calm to busy.

One character is a sixteenth: ``c`` the chord, ``C`` accented, ``g`` soft, ``b`` its lowest note, ``u`` all but the
lowest, ``1``–``6`` one voice from the bottom, ``t`` the top voice, ``o`` the outer notes in octaves, ``-`` hold, ``.``
rest.
"""

from __future__ import annotations

from collections.abc import Mapping

Patterns = Mapping[str, tuple[str, ...]]

CHORD_PATTERNS: Mapping[str, Patterns] = {
    "block": {
        "4/4": ("C---------------", "C-------c-------", "C-------c---c---"),
        "3/4": ("C-----------", "C-------c---"),
        "6/8": ("C-----------", "C-----c-----"),
    },
    "rolled": {
        "4/4": ("C---------------", "C---------c-----", "C-----c---c-----"),
        "3/4": ("C-----------", "C-------c---"),
        "6/8": ("C-----------", "C-----c-----"),
    },
    "pulse": {
        "4/4": ("C---c---c---c---", "C-c-c-c-c-c-c-c-", "C-c-C-c-C-c-C-c-"),
        "3/4": ("C---c---c---", "C-c-c-c-c-c-"),
        "6/8": ("C-----c-----", "C-c-c-C-c-c-"),
    },
    "stabs": {
        "4/4": ("C.............c.", "C.....c.......c.", "C..c..c...c...c.", "C..c..C..c..C.c."),
        "3/4": ("C.......c...", "C..c....c.c."),
        "6/8": ("C.........c.", "C...c.C...c."),
    },
    "strum": {
        "4/4": ("C-------c-------", "C---c---g-c-c---", "C---c-u-g-u-c-u-", "C-u-c-u-Cgu-c-ug"),
        "3/4": ("C---c---c---", "C---c-u-c-u-"),
        "6/8": ("C-----c-----", "C---u-c---u-", "C-u-u-c-u-u-"),
    },
    "comp": {
        "4/4": ("......c-........", "C-....c-........", "C-....c-..c-....", "..c-..c...C-..c."),
        "3/4": ("....c-......", "C-....c-....", "..c-..c-..c."),
        "6/8": ("......c-....", "C-....c-..c."),
    },
    "skank": {
        "4/4": ("....C.......C...", "....C.......C.c.", "....C.c.....C.c."),
        "3/4": ("....c...c...",),
        "6/8": ("....c.....c.",),
    },
    "offbeat": {
        "4/4": ("..c-......c-....", "..c...c...c...c.", "..C.c.C...C.c.C."),
        "3/4": ("..c...c...c.",),
        "6/8": ("....c.....c.",),
    },
    "alberti": {
        "4/4": ("1---3---2---3---", "1-3-2-3-1-3-2-3-", "1323132313231323"),
        "3/4": ("1---3---2---", "1-3-2-3-2-3-", "1-3-2-3-4-3-"),
        "6/8": ("1---3-2---3-", "1-2-3-1-2-3-", "1-2-3-4-3-2-"),
    },
    "waltz": {
        "4/4": ("b---u---u---u---", "b---u-u-b---u---"),
        "3/4": ("b---u---u---", "b---u---u-u-"),
        "6/8": ("b-----u---u-", "b-u-u-b-u-u-"),
    },
    "chug": {
        "4/4": ("C-------C-------", "C-c-c-c-C-c-c-c-", "C-cc.cc-C-cc.cc.", "CcccCcccCcccCccc"),
        "3/4": ("C-c-c-c-c-c-", "C-ccc-ccc-cc"),
        "6/8": ("C-c-c-C-c-c-", "CcccccCccccc"),
    },
    "montuno": {
        "4/4": ("o..u..o...u...o.", "o.uo.uo.o.uo.u.o", "o.u.ou.ou.u.ou.o"),
        "3/4": ("o..u..o...u.",),
        "6/8": ("o...u.o.u.o.",),
    },
    "tremolo": {
        "4/4": ("C---------------", "CgcgcgcgCgcgcgcg", "CgcgcgcgCgcgCgcg"),
        "3/4": ("C-----------", "CgcgcgcgCgcg"),
        "6/8": ("C-----------", "CgcgcgCgcgcg"),
    },
    "travis": {
        "4/4": ("1---3---2---3---", "1-t-3-2-1-3-2-t-", "1-4-3-2-1-t-2-3-", "t-4-2-3-1-t-2-4-"),
        "3/4": ("1-3-2-t-2-3-", "1-t-3-2-t-3-"),
        "6/8": ("1-2-3-t-3-2-", "1-3-2-t-2-3-"),
    },
    "arpeggio": {
        "4/4": ("1---2---3---t---", "1-2-3-t-4-3-2-3-", "1-2-3-4-t-4-3-2-", "123t432312t43232"),
        "3/4": ("1---2---3---", "1-2-3-t-3-2-", "12342t432432"),
        "6/8": ("1---2-3---2-", "1-2-3-t-3-2-", "123t32123t32"),
    },
    "pluck16": {
        "4/4": ("c...c..c..c.....", "C..c..c.c..c..c.", "C..c.c.cc..c.cc.", "C.cc.cc.C.cc.ccc"),
        "3/4": ("C..c..c.c...", "C.cc.cc.cc.c"),
        "6/8": ("C..c..C..c..", "C.cc.cC.cc.c"),
    },
    "bossa": {
        "4/4": ("c-....c-....c-..", "C-..c-..c-....c-", "c-.c-..c-.c-..c-", "Cgc-.gc.gcg-c.g."),
        "3/4": ("C-..c-....c-",),
        "6/8": ("C-....c-..c-",),
    },
    "funk16": {
        "4/4": ("..c.......c.....", "..cg..c...cg..c.", "C.gg..cg.gc.g.c.", "C.gcg.cg.gcgg.cg"),
        "3/4": ("..cg..cg..c.",),
        "6/8": ("C.gg..cg.gc.",),
    },
    "hits": {
        "4/4": ("C...............", "C.........C.....", "C-......C.....C.", "C-.C-.C-....C.C."),
        "3/4": ("C...........", "C-......C.C."),
        "6/8": ("C...........", "C-....C...C."),
    },
    "boogie": {
        "4/4": ("C-------c-------", "C---c-..c---c-..", "C-c-c-c-C-c-c-c-"),
        "3/4": ("C---c-c-c-c-",),
        "6/8": ("C---c-C---c-",),
    },
}
ACCENTS: Mapping[str, int] = {"C": 92, "c": 76, "g": 44, "b": 82, "u": 70, "o": 88, "t": 80}
# A single voice of a broken chord.
PLAIN_VELOCITY = 72
# Notes that ring into the next one.
LONG_STYLES = frozenset({"arpeggio", "travis", "rolled", "alberti"})
SHORT_STYLES = frozenset({"stabs", "skank", "pluck16", "funk16", "hits", "offbeat"})
