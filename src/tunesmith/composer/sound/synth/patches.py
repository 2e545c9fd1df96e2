"""The table of patches: every synthesised instrument except the drum kits, as numbers."""

from __future__ import annotations

from collections.abc import Mapping

from tunesmith.composer.sound.synth.patch import (
    Chip,
    Envelope,
    Filter,
    Fm,
    Lfo,
    Operator,
    Oscillator,
    Patch,
    PluckedString,
    Subtractive,
    TransitionEffect,
)

# The delay leaves short notes straight, as a singer does.
_VIBRATO = Lfo("pitch", 5.4, 0.14, delay=0.45)

LEADS: Mapping[str, Patch] = {
    "saw_lead": Subtractive(
        (Oscillator("saw", 1.0, unison=3, detune_cents=7, spread=0.5), Oscillator("pulse", 0.5, -12, duty=0.42)),
        Envelope(0.006, 0.4, 0.8, 0.16),
        Filter("low24", 3_600, 1.1, 0.5, Envelope(0.004, 0.5, 0.35, 0.2), 1.3),
        (_VIBRATO,),
        chorus=0.35,
        drive=0.9,
        reference=67,
    ),
    "square_lead": Subtractive(
        (Oscillator("pulse", 1.0, duty=0.46), Oscillator("pulse", 0.4, 12.05, duty=0.3)),
        Envelope(0.005, 0.35, 0.75, 0.12),
        Filter("low24", 4_200, 0.9, 0.5, Envelope(0.003, 0.35, 0.4, 0.15), 0.9),
        (_VIBRATO, Lfo("duty", 0.9, 0.08)),
        chorus=0.25,
        reference=67,
    ),
    "sine_lead": Subtractive(
        (Oscillator("sine", 1.0), Oscillator("triangle", 0.22), Oscillator("sine", 0.1, 12)),
        Envelope(0.014, 0.6, 0.8, 0.2),
        None,
        (Lfo("pitch", 5.0, 0.18, delay=0.35),),
        chorus=0.3,
        reference=70,
    ),
    "fm_lead": Fm(
        (
            Operator(1, 1.0, 1, 2.2, 0.7, 0.35, Envelope(0.005, 0.6, 0.75, 0.14)),
            Operator(2, 0.35, 1, 1.4, 0.4, 0.2, Envelope(0.004, 0.4, 0.5, 0.12), 6),
        ),
        _VIBRATO,
        chorus=0.3,
        reference=67,
    ),
    "supersaw": Subtractive(
        (
            Oscillator("saw", 1.0, unison=7, detune_cents=17, spread=0.9),
            Oscillator("saw", 0.35, 12, unison=2, detune_cents=11, spread=0.7),
        ),
        Envelope(0.008, 0.8, 0.85, 0.3),
        Filter("low12", 8_500, 0.75, 0.35, Envelope(0.01, 0.8, 0.5, 0.3), 0.8),
        reference=64,
    ),
    "synth_stab": Subtractive(
        (Oscillator("saw", 1.0, unison=4, detune_cents=13, spread=0.8), Oscillator("pulse", 0.5, duty=0.35)),
        Envelope(0.003, 0.45, 0.25, 0.18),
        Filter("low24", 1_500, 1.5, 0.4, Envelope(0.002, 0.32, 0.05, 0.15), 2.4),
        drive=1.2,
        chorus=0.2,
        reference=60,
    ),
    "synth_brass": Subtractive(
        (Oscillator("saw", 1.0, unison=3, detune_cents=10, spread=0.7), Oscillator("saw", 0.5, -12)),
        Envelope(0.03, 0.6, 0.8, 0.2),
        Filter("low24", 1_100, 0.9, 0.5, Envelope(0.07, 0.7, 0.6, 0.25), 2.2, 1.5),
        (Lfo("pitch", 5.1, 0.07, delay=0.5),),
        chorus=0.45,
        reference=60,
    ),
    "theremin": Subtractive(
        (Oscillator("sine", 1.0), Oscillator("hollow", 0.35)),
        Envelope(0.09, 0.5, 0.95, 0.22),
        Filter("low12", 3_000, 0.7, 0.6),
        (Lfo("pitch", 5.8, 0.38, delay=0.25), Lfo("level", 3.1, 0.2, delay=0.3)),
        glide_seconds=0.22,
        reference=72,
    ),
    "cowbell_lead": Subtractive(
        (Oscillator("square", 1.0), Oscillator("square", 0.8, 6.8)),
        Envelope(0.0015, 0.55, 0.12, 0.18),
        Filter("band", 1_300, 0.75, 0.7, Envelope(0.001, 0.15, 0.3, 0.1), 0.6),
        drive=2.2,
        glide_seconds=0.05,
        reference=66,
    ),
}

PLUCKS: Mapping[str, Patch] = {
    "trance_pluck": Subtractive(
        (Oscillator("saw", 1.0, unison=5, detune_cents=14, spread=0.85), Oscillator("square", 0.25, 12)),
        Envelope(0.002, 0.8, 0.06, 0.35),
        Filter("low24", 900, 1.2, 0.5, Envelope(0.001, 0.45, 0.02, 0.3), 3.4),
        reference=69,
    ),
    "synth_pluck": Subtractive(
        (Oscillator("pulse", 1.0, duty=0.3, unison=2, detune_cents=7, spread=0.5), Oscillator("triangle", 0.6)),
        Envelope(0.002, 0.9, 0.0, 0.3),
        Filter("low24", 800, 1.3, 0.6, Envelope(0.001, 0.4, 0.0, 0.25), 2.7),
        chorus=0.3,
        reference=67,
    ),
    "synth_arp": Subtractive(
        (Oscillator("saw", 1.0, unison=2, detune_cents=8, spread=0.7), Oscillator("pulse", 0.6, -12, duty=0.25)),
        Envelope(0.003, 0.5, 0.25, 0.16),
        Filter("low24", 1_200, 1.4, 0.5, Envelope(0.002, 0.3, 0.1, 0.2), 2.2),
        chorus=0.35,
        reference=64,
    ),
    "house_organ": Fm(
        (
            Operator(1, 1.0, 3, 0.55, 0.12, 0.35, Envelope(0.003, 0.9, 0.7, 0.07)),
            Operator(2, 0.6, 1, 0.3, 0.3, 0.5, Envelope(0.003, 0.5, 0.4, 0.07)),
            Operator(3, 0.28, 1, 0.2, 0.2, 0.5, Envelope(0.002, 0.25, 0.1, 0.06)),
            Operator(0.5, 0.5, 1, 0.1, 0.3, 0.5, Envelope(0.003, 0.9, 0.8, 0.07)),
        ),
        chorus=0.25,
        drive=0.8,
        reference=57,
    ),
    "fm_bell": Fm(
        (
            Operator(1, 1.0, 3.5, 2.0, 1.4, 0.08, Envelope(0.002, 3.2, 0.0, 1.1)),
            Operator(2.005, 0.4, 3.5, 1.2, 0.8, 0.0, Envelope(0.002, 1.8, 0.0, 0.8)),
            Operator(5.4, 0.1, 1, 0.4, 0.3, 0.0, Envelope(0.001, 0.5, 0.0, 0.3)),
        ),
        chorus=0.2,
        reference=76,
    ),
    # The string of a double bass over its wooden body: the overtones that the bank's recordings lack.
    "upright_string": PluckedString(
        ring=1.6,
        damping=0.5,
        position=0.14,
        body=((98.0, 0.6), (172.0, 0.7), (310.0, 0.4)),
        release=0.12,
        low_pass=450,
        reference=38,
    ),
    "plucked_string": PluckedString(ring=4.0),
}

PADS: Mapping[str, Patch] = {
    "warm_pad": Subtractive(
        (
            Oscillator("saw", 1.0, unison=4, detune_cents=11, spread=0.9),
            Oscillator("triangle", 0.6, -12),
        ),
        Envelope(0.35, 1.5, 0.85, 1.2),
        Filter("low24", 1_000, 0.75, 0.45, Envelope(0.8, 2.5, 0.6, 1.0), 0.8, 0.8),
        (Lfo("cutoff", 1.3, 0.6, synced=True), Lfo("level", 1.3, 0.3, synced=True)),
        chorus=0.5,
    ),
    "dark_pad": Subtractive(
        (
            Oscillator("saw", 1.0, unison=4, detune_cents=15, spread=0.9),
            Oscillator("pulse", 0.6, -12, duty=0.4),
            Oscillator("sine", 0.5, -12),
        ),
        Envelope(0.6, 2.0, 0.9, 1.6),
        Filter("low24", 420, 1.0, 0.75, Envelope(1.5, 3.0, 0.6, 1.5), 0.7, 0.6),
        (Lfo("cutoff", 0.09, 0.35), Lfo("duty", 0.21, 0.15)),
        chorus=0.45,
        noise=0.02,
        reference=48,
    ),
    "glass_pad": Subtractive(
        (
            Oscillator("glass", 1.0, unison=3, detune_cents=6, spread=0.95),
            Oscillator("sine", 0.35, 12.04, unison=2, detune_cents=5, spread=0.8),
            Oscillator("sine", 0.15, 19.02),
        ),
        Envelope(0.16, 1.8, 0.75, 1.8),
        Filter("low12", 6_000, 0.7, 0.3, Envelope(0.3, 2.0, 0.5, 1.0), 0.5, 0.8),
        (Lfo("level", 2.8, 0.55, synced=True),),
        chorus=0.6,
        reference=69,
    ),
    "sweep_pad": Subtractive(
        (Oscillator("saw", 1.0, unison=5, detune_cents=16, spread=1.0), Oscillator("saw", 0.3, 12)),
        Envelope(0.3, 2.0, 0.85, 1.4),
        Filter("low24", 480, 1.9, 0.85, Envelope(2.2, 4.0, 0.4, 1.5), 3.0, 0.6),
        (Lfo("cutoff", 0.17, 0.4), Lfo("level", 2.8, 0.7, synced=True, wave="triangle")),
        chorus=0.35,
    ),
    "string_pad": Subtractive(
        (
            Oscillator("saw", 1.0, unison=5, detune_cents=10, spread=0.9),
            Oscillator("saw", 0.4, 12, unison=2, detune_cents=8),
        ),
        Envelope(0.16, 1.0, 0.9, 0.6),
        Filter("low12", 2_600, 0.7, 0.5, Envelope(0.3, 1.5, 0.7, 0.6), 0.6, 1.0),
        (Lfo("pitch", 5.2, 0.06, delay=0.4),),
        chorus=0.65,
    ),
    "choir_pad": Subtractive(
        (
            Oscillator("choir", 1.0, unison=5, detune_cents=13, spread=0.95),
            Oscillator("choir", 0.35, -12, unison=2, detune_cents=9, spread=0.6),
        ),
        Envelope(0.22, 1.2, 0.9, 0.9),
        Filter("low24", 3_400, 0.7, 0.2, Envelope(0.4, 1.0, 0.8, 0.6), 0.4, 0.8),
        (Lfo("pitch", 4.9, 0.13, delay=0.5), Lfo("level", 4.3, 0.06)),
        chorus=0.6,
        noise=0.012,
    ),
    "drone": Subtractive(
        (
            Oscillator("saw", 1.0, unison=4, detune_cents=8, spread=1.0),
            Oscillator("pulse", 0.6, -0.01, duty=0.3),
            Oscillator("saw", 0.35, 7.02),
            Oscillator("sine", 0.7, -12),
        ),
        Envelope(1.2, 2.0, 0.95, 2.4),
        Filter("low24", 520, 1.6, 0.3, Envelope(3.0, 4.0, 0.5, 2.0), 0.8, 0.5),
        (Lfo("cutoff", 0.071, 0.6), Lfo("duty", 0.13, 0.2)),
        chorus=0.4,
        noise=0.02,
        reference=40,
    ),
}

BASSES: Mapping[str, Patch] = {
    "sub_bass": Subtractive(
        (Oscillator("sine", 1.0), Oscillator("triangle", 0.18)),
        Envelope(0.008, 0.6, 0.85, 0.09),
        None,
        drive=1.2,
        reference=36,
    ),
    "bass_808": Subtractive(
        (Oscillator("sine", 1.0),),
        Envelope(0.003, 2.6, 0.0, 0.12),
        None,
        # A fast fall of 19 semitones is the punch of the kick drum from which this bass comes.
        bend=19,
        bend_seconds=0.07,
        glide_seconds=0.14,
        drive=2.4,
        reference=34,
    ),
    "saw_bass": Subtractive(
        (Oscillator("saw", 1.0, unison=2, detune_cents=7), Oscillator("pulse", 0.6, -12, duty=0.5)),
        Envelope(0.004, 0.5, 0.7, 0.09),
        Filter("low24", 1_100, 1.1, 0.4, Envelope(0.002, 0.3, 0.25, 0.1), 1.7),
        drive=1.3,
        reference=36,
    ),
    "acid_bass": Subtractive(
        (Oscillator("saw", 1.0),),
        Envelope(0.003, 0.9, 0.55, 0.06),
        Filter("low24", 750, 5.5, 0.3, Envelope(0.002, 0.38, 0.0, 0.08), 2.6, 1.8),
        glide_seconds=0.06,
        drive=1.8,
        reference=41,
    ),
    "reese_bass": Subtractive(
        (Oscillator("saw", 1.0, unison=3, detune_cents=26, spread=0.35), Oscillator("sine", 0.7, -12)),
        Envelope(0.01, 1.0, 0.95, 0.12),
        Filter("low24", 1_100, 1.0, 0.3, Envelope(0.05, 1.0, 0.6, 0.1), 0.6),
        (Lfo("cutoff", 0.45, 0.5),),
        drive=1.8,
        reference=36,
    ),
    "wobble_bass": Subtractive(
        (
            Oscillator("saw", 1.0, unison=2, detune_cents=12),
            Oscillator("square", 0.7),
            Oscillator("sine", 0.9, -12),
        ),
        Envelope(0.004, 1.0, 0.95, 0.07),
        Filter("low24", 1_300, 2.6, 0.2, Envelope(), 0.0, 0.8),
        # Synced to the note, so that the wobble is in time at every tempo.
        (Lfo("cutoff", 5.6, 2.1, synced=True),),
        drive=2.6,
        reference=36,
    ),
    "fm_bass": Fm(
        (
            Operator(1, 1.0, 1, 3.6, 0.32, 0.12, Envelope(0.003, 0.8, 0.6, 0.08)),
            Operator(0.5, 0.5, 1, 0.6, 0.3, 0.1, Envelope(0.003, 0.8, 0.7, 0.08)),
        ),
        drive=1.3,
        reference=40,
    ),
    "pluck_bass": Subtractive(
        (Oscillator("pulse", 1.0, duty=0.4), Oscillator("sine", 0.6, -12)),
        Envelope(0.002, 0.75, 0.0, 0.1),
        Filter("low24", 500, 1.2, 0.4, Envelope(0.001, 0.25, 0.0, 0.1), 2.6),
        drive=1.2,
        reference=40,
    ),
}

CHIPS: Mapping[str, Patch] = {
    "chip_pulse": Chip(duty=0.5, frames_a_step=3, floor=6),
    "chip_pulse_thin": Chip(duty=0.25, frames_a_step=3, floor=5),
    "chip_triangle": Chip(duty=0.0, vibrato_cents=0, reference=48),
    "chip_arpeggio": Chip(duty=0.125, frames_a_step=6, floor=8, vibrato_cents=0, slots=4),
}

TRANSITIONS: Mapping[str, Patch] = {
    "riser": TransitionEffect("rise", 250, 11_000, tone=0.4),
    "downlifter": TransitionEffect("fall", 160, 9_000, tone=0.25),
    "impact": TransitionEffect("hit", 120, 7_000, boom=1.4, metal=0.2),
    "reverse_cymbal": TransitionEffect("rise", 3_500, 14_000, metal=0.3),
    "sweep_noise": TransitionEffect("swell", 350, 7_500),
}

PATCHES: Mapping[str, Patch] = {**LEADS, **PLUCKS, **PADS, **BASSES, **CHIPS, **TRANSITIONS}
