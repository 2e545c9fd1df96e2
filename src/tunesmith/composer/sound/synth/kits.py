"""The table of drum kits: General MIDI keys (composer/drum_names.py) to drums."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.composer.drum_names import DRUM_KEYS
from tunesmith.composer.sound.synth.drum_spec import ChipNoise, Drum, Hiss, Kit, Metal, Recorded, Ringing, Thump


def keyed(**drums: Drum) -> dict[int, Drum]:
    """Return drums by name (DRUM_KEYS) as drums by key."""
    return {DRUM_KEYS[name]: drum for name, drum in drums.items()}


def _skin(pitch: float, ring: float, level_db: float = -5, pan: float = 0.0, slap: float = 0.15) -> Drum:
    """Return a hand drum: a short glide to ``pitch`` Hz, a second mode, and the slap of the hand."""
    modes = ((pitch * 1.59, 0.3, ring * 0.4), (pitch * 2.3, 0.12, ring * 0.25))
    layers = (Thump(pitch * 1.35, pitch, 0.05, ring, 1.0, slap), Ringing(modes), Hiss(1_500, 7_000, 0.03, slap))
    return Drum(layers, level_db, pan)


def _tom(pitch: float, ring: float = 0.5, level_db: float = -3, pan: float = 0.0) -> Drum:
    return Drum((Thump(pitch * 1.9, pitch, 0.12, ring, 1.0, 0.25), Hiss(300, 4_000, 0.08, 0.12)), level_db, pan)


def _bell(low: float, high: float, ring: float, level_db: float, pan: float = 0.0) -> Drum:
    partials = (
        (low, 1.0, ring),
        (high, 0.8, ring * 0.8),
        (low * 3.01, 0.3, ring * 0.4),
        (high * 2.98, 0.25, ring * 0.3),
    )
    return Drum((Ringing(partials, 1.0, 0.3),), level_db, pan, drive=1.0)


def _stick(pitch: float, ring: float, level_db: float, pan: float = 0.0) -> Drum:
    return Drum((Ringing(((pitch, 1.0, ring), (pitch * 1.62, 0.35, ring * 0.6)), 1.0, 0.4),), level_db, pan)


PERCUSSION: Mapping[int, Drum] = keyed(
    tambourine=Drum(
        (Metal(2_700, 6_500, 15_000, 0.22, 1.0, 0.5, 0.8), Hiss(7_000, 14_000, 0.05, 0.5, bursts=2)), -12, 0.25
    ),
    cowbell=_bell(540, 800, 0.28, -9, 0.2),
    bongo_high=_skin(410, 0.16, -6, 0.3),
    bongo_low=_skin(290, 0.22, -5, 0.2),
    conga_mute=_skin(330, 0.09, -6, -0.25, 0.4),
    conga_high=_skin(245, 0.34, -5, -0.25),
    conga_low=_skin(175, 0.45, -4, -0.15),
    timbale_high=Drum((Thump(520, 430, 0.05, 0.32, 1.0, 0.4), Hiss(2_000, 9_000, 0.1, 0.25)), -6, 0.3),
    timbale_low=Drum((Thump(380, 300, 0.05, 0.4, 1.0, 0.4), Hiss(1_500, 8_000, 0.1, 0.25)), -6, 0.2),
    agogo_high=_bell(915, 1_370, 0.4, -10, -0.3),
    agogo_low=_bell(680, 1_020, 0.45, -10, -0.3),
    cabasa=Drum((Hiss(4_500, 13_000, 0.09, 1.0, attack=0.018),), -13, -0.3),
    shaker=Drum((Hiss(5_500, 14_000, 0.07, 1.0, attack=0.028, width=0.2),), -14, 0.35),
    guiro=Drum((Hiss(2_200, 8_000, 0.05, 1.0, bursts=9, gap=0.016),), -12, -0.3),
    clave=_stick(2_450, 0.09, -8, 0.2),
    woodblock=_stick(980, 0.08, -8, -0.2),
    triangle=Drum(
        (Ringing(((4_180, 1, 1.6), (6_940, 0.6, 1.2), (9_730, 0.35, 0.8), (1_690, 0.15, 1.0)), 1, 0.2),), -15, 0.3
    ),
    brush_swirl=Drum((Hiss(1_800, 9_000, 0.22, 1.0, attack=0.09),), -14),
    snap=Drum((Recorded("snap"),), -8, 0.1),
    taiko=Drum(
        (Thump(130, 68, 0.09, 1.3, 1.0, 0.3), Hiss(90, 900, 0.18, 0.5), Ringing(((148, 0.3, 0.5),))), 0, drive=1.1
    ),
    timpani=Drum(
        (Ringing(((98, 1, 1.8), (147, 0.6, 1.3), (196, 0.35, 1.0), (61, 0.4, 0.5)), 1, 0.12), Hiss(80, 700, 0.08, 0.3)),
        -3,
    ),
)

TR808: Mapping[int, Drum] = {
    **PERCUSSION,
    **keyed(
        kick=Drum((Thump(160, 49, 0.055, 0.95, 1.0, 0.12),), 0, drive=1.4),
        rim=_stick(1_720, 0.05, -7),
        snare=Drum(
            (Thump(240, 180, 0.03, 0.2, 0.8), Thump(380, 335, 0.03, 0.12, 0.45), Hiss(1_600, 11_000, 0.26, 0.75)), -2
        ),
        clap=Drum((Hiss(850, 5_200, 0.26, 1.0, bursts=4, width=0.35),), -3),
        tom_low=Drum((Thump(115, 82, 0.1, 0.65),), -3, -0.35),
        tom_mid=Drum((Thump(168, 124, 0.1, 0.5),), -3, 0.0),
        tom_high=Drum((Thump(235, 172, 0.1, 0.4),), -3, 0.35),
        hat=Drum((Metal(205, 7_000, 15_500, 0.09, 1.0, 0.1),), -11, 0.12),
        pedal_hat=Drum((Metal(205, 7_000, 15_000, 0.06, 1.0, 0.1),), -12, 0.12),
        open_hat=Drum((Metal(205, 6_800, 15_500, 0.55, 1.0, 0.1),), -11, 0.12),
        crash=Drum((Metal(205, 3_200, 15_000, 1.8, 1.0, 0.35, 0.5, 0.7),), -7, -0.2),
        ride=Drum((Metal(340, 4_600, 14_000, 0.9, 1.0, 0.15, 0.8),), -12, 0.25),
        ride_bell=Drum(
            (Ringing(((1_480, 1, 0.8), (2_210, 0.7, 0.7), (3_940, 0.5, 0.5))), Metal(340, 5_000, 14_000, 0.5, 0.5)),
            -11,
            0.25,
        ),
    ),
}

# Kits build on each other, so that each lists only the drums that set it apart.
TR909: Mapping[int, Drum] = {
    **TR808,
    **keyed(
        kick=Drum((Thump(230, 52, 0.07, 0.42, 1.0, 0.5),), 0, drive=1.8),
        rim=_stick(1_250, 0.04, -6),
        snare=Drum(
            (Thump(290, 190, 0.025, 0.17, 0.9, 0.3), Hiss(1_100, 13_000, 0.24, 0.95, width=0.15)), -2, drive=1.0
        ),
        clap=Drum((Hiss(950, 7_500, 0.22, 1.0, bursts=4, gap=0.01, width=0.5),), -3),
        tom_low=_tom(84, 0.5, -3, -0.35),
        tom_mid=_tom(122, 0.42, -3),
        tom_high=_tom(165, 0.36, -3, 0.35),
        hat=Drum((Metal(480, 7_500, 16_500, 0.08, 1.0, 0.6, 0.4),), -10, 0.1),
        pedal_hat=Drum((Metal(480, 7_000, 16_000, 0.05, 1.0, 0.6),), -12, 0.1),
        open_hat=Drum((Metal(480, 6_500, 16_500, 0.5, 1.0, 0.6, 0.5),), -10, 0.1),
        crash=Drum((Metal(420, 3_600, 16_500, 1.9, 1.0, 0.65, 0.8, 0.8),), -7, -0.2),
        ride=Drum((Metal(510, 4_200, 15_500, 1.1, 1.0, 0.35, 0.9),), -12, 0.25),
    ),
}

_DUSTY: Mapping[int, Drum] = {
    **TR909,
    **keyed(
        kick=Drum((Recorded("kick_heavy", -1.5, 0.35), Thump(90, 50, 0.06, 0.3, 0.5)), 0, drive=1.2),
        rim=Drum((Ringing(((1_150, 1, 0.05), (480, 0.6, 0.06)), 1, 0.5), Hiss(1_000, 6_000, 0.04, 0.2)), -7, 0.05),
        snare=Drum((Recorded("snare_dusty", -1.0, 0.34), Hiss(1_400, 7_500, 0.16, 0.25)), -3, drive=0.9),
        clap=Drum((Recorded("snap", -3), Hiss(900, 4_500, 0.16, 0.5, bursts=3, width=0.3)), -5),
        tom_low=Drum((Recorded("tom_low", -1),), -4, -0.3),
        tom_mid=Drum((Recorded("tom_mid", -1),), -4),
        tom_high=Drum((Recorded("tom_high", -1),), -4, 0.3),
        hat=Drum((Recorded("hat_closed", -2, 0.12),), -12, 0.15),
        pedal_hat=Drum((Recorded("hat_pedal", -2, 0.2),), -13, 0.15),
        open_hat=Drum((Recorded("hat_open", -2, 0.6),), -12, 0.15),
        crash=Drum((Recorded("crash", -2),), -8, -0.2),
        ride=Drum((Recorded("ride", -1), Ringing(((3_300, 0.15, 0.4),))), -13, 0.25),
        brush_swirl=Drum((Hiss(1_800, 6_500, 0.2, 1.0, attack=0.08),), -14),
    ),
}

_DNB: Mapping[int, Drum] = {
    **_DUSTY,
    **keyed(
        kick=Drum((Recorded("kick_acoustic", 2, 0.3), Thump(210, 58, 0.05, 0.22, 0.8, 0.4)), 0, drive=1.8),
        snare=Drum(
            (
                Recorded("snare_acoustic", 3, 0.3),
                Thump(310, 205, 0.02, 0.14, 0.6),
                Hiss(2_000, 13_000, 0.18, 0.5, width=0.2),
            ),
            -1,
            drive=1.6,
        ),
        clap=Drum((Recorded("snare_tight", 2), Hiss(1_200, 9_000, 0.16, 0.6, bursts=3)), -3),
        hat=Drum((Recorded("hat_closed", 2, 0.1), Metal(480, 8_000, 16_500, 0.06, 0.3)), -10, 0.12),
        open_hat=Drum((Recorded("hat_open", 2, 0.45),), -10, 0.12),
        ride=Drum((Recorded("ride", 2), Metal(510, 5_000, 15_500, 0.9, 0.4)), -11, 0.25),
        crash=Drum((Recorded("crash", 1), Metal(420, 4_000, 16_000, 1.9, 0.4, 0.65)), -6, -0.2),
    ),
}

_TRAP: Mapping[int, Drum] = {
    **TR808,
    **keyed(
        kick=Drum((Thump(240, 46, 0.06, 0.6, 1.0, 0.35),), 0, drive=2.4),
        snare=Drum(
            (
                Thump(330, 215, 0.02, 0.13, 0.7, 0.3),
                Hiss(1_500, 14_000, 0.2, 1.0, width=0.2),
                Recorded("snare_tight", 1, level=0.3),
            ),
            -2,
            drive=1.2,
        ),
        clap=Drum(
            (Hiss(1_100, 9_000, 0.28, 1.0, bursts=3, gap=0.009, width=0.6), Thump(260, 200, 0.03, 0.08, 0.4)), -2
        ),
        hat=Drum((Metal(560, 8_500, 17_000, 0.055, 1.0, 0.35),), -10, 0.08),
        open_hat=Drum((Metal(560, 7_500, 17_000, 0.35, 1.0, 0.4),), -11, 0.08),
        crash=Drum((Metal(420, 3_600, 16_500, 2.2, 1.0, 0.65, 0.8, 0.9),), -8, -0.2),
    ),
}

_HOUSE: Mapping[int, Drum] = {
    **TR909,
    **keyed(
        kick=Drum((Thump(260, 50, 0.06, 0.36, 1.0, 0.4), Recorded("kick_club", 0, 0.3, 0.3)), 0, drive=1.9),
        clap=Drum((Hiss(1_000, 8_500, 0.24, 1.0, bursts=4, gap=0.01, width=0.6), Recorded("snap", level=0.35)), -3),
    ),
}

_TECHNO: Mapping[int, Drum] = {
    **TR909,
    **keyed(
        kick=Drum((Thump(280, 46, 0.055, 0.5, 1.0, 0.7), Hiss(60, 900, 0.12, 0.25)), 0, drive=3.2),
        snare=Drum((Thump(260, 175, 0.03, 0.12, 0.6), Hiss(1_500, 12_000, 0.15, 1.0)), -4, drive=1.5),
        hat=Drum((Metal(620, 8_500, 17_000, 0.07, 1.0, 0.5, 0.3),), -9, 0.1),
        ride=Drum((Metal(640, 5_200, 16_500, 1.0, 1.0, 0.4, 0.7),), -10, 0.2),
        tom_low=_tom(66, 0.4, -3, -0.3),
    ),
}

_DUBSTEP: Mapping[int, Drum] = {
    **_TRAP,
    **keyed(
        kick=Drum((Thump(300, 48, 0.05, 0.42, 1.0, 0.7), Recorded("kick_heavy", -2, 0.25, 0.5)), 0, drive=2.6),
        snare=Drum(
            (
                Thump(330, 188, 0.03, 0.26, 1.0, 0.4),
                Hiss(1_000, 13_000, 0.34, 0.9, hold=0.05, width=0.45),
                Recorded("snare_fat", 1, level=0.5),
            ),
            -1,
            drive=2.2,
        ),
        clap=Drum((Hiss(900, 9_500, 0.36, 1.0, bursts=3, hold=0.02, width=0.7),), -3, drive=1.4),
    ),
}

_SYNTHWAVE: Mapping[int, Drum] = {
    **TR909,
    **keyed(
        kick=Drum((Thump(190, 56, 0.06, 0.34, 1.0, 0.6), Recorded("kick_fat", 0, 0.25, 0.4)), 0, drive=1.6),
        snare=Drum(
            (Thump(270, 182, 0.03, 0.22, 0.9, 0.3), Hiss(500, 9_500, 0.13, 0.95, hold=0.2, width=0.8)), -1, drive=1.5
        ),
        clap=Drum((Hiss(900, 7_500, 0.12, 1.0, bursts=4, hold=0.14, width=0.8),), -4),
        tom_low=Drum(
            (Thump(170, 78, 0.2, 0.55, 1.0, 0.3), Hiss(150, 4_000, 0.1, 0.3, hold=0.18, width=0.8)), -2, -0.45
        ),
        tom_mid=Drum((Thump(240, 112, 0.18, 0.5, 1.0, 0.3), Hiss(200, 4_500, 0.1, 0.3, hold=0.16, width=0.8)), -2),
        tom_high=Drum(
            (Thump(320, 155, 0.16, 0.45, 1.0, 0.3), Hiss(250, 5_000, 0.1, 0.3, hold=0.15, width=0.8)), -2, 0.45
        ),
    ),
}

_CHIP: Mapping[int, Drum] = keyed(
    kick=Drum((Thump(330, 50, 0.07, 0.2), ChipNoise(6_000, 3, 0.4)), 0, drive=2.0),
    rim=Drum((ChipNoise(40_000, 2, short=True),), -8),
    snare=Drum((ChipNoise(17_000, 10), Thump(420, 160, 0.04, 0.09, 0.6)), -4),
    clap=Drum((ChipNoise(26_000, 8),), -6),
    tom_low=Drum((Thump(260, 85, 0.14, 0.28), ChipNoise(5_000, 3, 0.2)), -3, drive=1.5),
    tom_mid=Drum((Thump(360, 130, 0.12, 0.24), ChipNoise(6_000, 3, 0.2)), -3, drive=1.5),
    tom_high=Drum((Thump(500, 190, 0.1, 0.2), ChipNoise(7_000, 3, 0.2)), -3, drive=1.5),
    hat=Drum((ChipNoise(200_000, 3),), -11),
    pedal_hat=Drum((ChipNoise(120_000, 2),), -12),
    open_hat=Drum((ChipNoise(200_000, 13),), -12),
    crash=Drum((ChipNoise(60_000, 45),), -8),
    ride=Drum((ChipNoise(110_000, 18, short=True),), -13),
    ride_bell=Drum((ChipNoise(60_000, 14, short=True),), -12),
    shaker=Drum((ChipNoise(150_000, 3),), -14),
    tambourine=Drum((ChipNoise(90_000, 6),), -13),
    cowbell=Drum((ChipNoise(52_000, 7, short=True),), -10),
    clave=Drum((ChipNoise(93_000, 3, short=True),), -10),
    triangle=Drum((ChipNoise(186_000, 16, short=True),), -15),
    conga_high=Drum((Thump(420, 250, 0.06, 0.14),), -5),
    conga_low=Drum((Thump(300, 170, 0.07, 0.18),), -5),
    taiko=Drum((Thump(200, 55, 0.15, 0.4), ChipNoise(3_500, 8, 0.5)), -1, drive=2.0),
)  # fmt: skip

_CINEMATIC: Mapping[int, Drum] = {
    **_DUSTY,
    **keyed(
        kick=Drum(
            (Thump(95, 41, 0.12, 1.4, 1.0, 0.15), Recorded("boom", 0, 2.4, 0.5), Hiss(60, 500, 0.25, 0.3)), 0, drive=1.3
        ),
        taiko=Drum(
            (
                Thump(118, 62, 0.1, 1.5, 1.0, 0.3),
                Ringing(((101, 0.4, 0.9), (156, 0.25, 0.5))),
                Hiss(120, 1_600, 0.14, 0.5, width=0.5),
            ),
            0,
            drive=1.3,
        ),
        tom_low=Drum(
            (
                Thump(128, 72, 0.1, 1.1, 1.0, 0.25),
                Recorded("tom_low", -5, level=0.6),
                Hiss(150, 1_800, 0.1, 0.35, width=0.5),
            ),
            -1,
            -0.3,
            1.2,
        ),
        tom_mid=Drum(
            (
                Thump(160, 94, 0.1, 0.9, 1.0, 0.25),
                Recorded("tom_mid", -5, level=0.6),
                Hiss(180, 2_200, 0.1, 0.35, width=0.5),
            ),
            -1,
            0.05,
            1.2,
        ),
        tom_high=Drum(
            (
                Thump(205, 122, 0.1, 0.75, 1.0, 0.3),
                Recorded("tom_high", -5, level=0.6),
                Hiss(200, 2_800, 0.1, 0.35, width=0.5),
            ),
            -2,
            0.3,
            1.2,
        ),
        snare=Drum(
            (
                Recorded("snare_fat", -4),
                Recorded("snare_acoustic", -3, level=0.6),
                Hiss(700, 7_000, 0.4, 0.35, width=0.7),
            ),
            -2,
            drive=1.1,
        ),
        rim=Drum((Ringing(((640, 1, 0.08), (1_030, 0.6, 0.06)), 1, 0.5), Hiss(700, 6_000, 0.18, 0.2, width=0.7)), -6),
        clap=Drum((Hiss(500, 5_000, 0.5, 1.0, bursts=3, width=0.8), Thump(150, 90, 0.05, 0.3, 0.5)), -3),
        crash=Drum((Recorded("crash", -3), Metal(380, 2_600, 14_000, 3.2, 0.5, 0.7, 0.3, 0.8)), -6, -0.1),
    ),
}

KITS: Mapping[str, Kit] = {
    "lofi_kit": Kit(_DUSTY, low_pass=6_800, bits=10, drive=1.1),
    "boom_bap_kit": Kit(
        {
            **_DUSTY,
            **keyed(
                kick=Drum((Recorded("kick_acoustic", -1, 0.4), Thump(120, 54, 0.05, 0.26, 0.7, 0.3)), 0, drive=1.8),
                snare=Drum(
                    (Recorded("snare_fat", 0.5, 0.34), Recorded("snare_acoustic", -1, level=0.6)), -1, drive=1.7
                ),
            ),
        },
        low_pass=10_500,
        bits=12,
        drive=1.2,
    ),
    "tr808_kit": Kit(TR808),
    "tr909_kit": Kit(TR909),
    "trap_kit": Kit(_TRAP),
    "house_kit": Kit(_HOUSE),
    "techno_kit": Kit(_TECHNO),
    "dubstep_kit": Kit(_DUBSTEP),
    "dnb_kit": Kit(_DNB, drive=1.0),
    "synthwave_kit": Kit(_SYNTHWAVE),
    "chip_kit": Kit(_CHIP),
    "cinematic_percussion": Kit(_CINEMATIC),
}

# Relatives by sound, because neighbours on the keyboard are often unrelated drums.
NEIGHBOURS: Mapping[int, tuple[int, ...]] = {
    DRUM_KEYS[name]: tuple(DRUM_KEYS[other] for other in others.split())
    for name, others in {
        "bongo_high": "conga_high tom_high",
        "bongo_low": "conga_low tom_mid",
        "conga_mute": "conga_high tom_mid",
        "timbale_high": "tom_high",
        "timbale_low": "tom_mid",
        "agogo_high": "cowbell",
        "agogo_low": "cowbell",
        "cabasa": "shaker",
        "guiro": "shaker",
        "woodblock": "clave rim",
        "brush_swirl": "shaker hat",
        "snap": "clap",
        "timpani": "taiko tom_low",
    }.items()
}
