"""All descriptors of a mix that need no neural judge, by the names that the norms have."""

from __future__ import annotations

from judges.attacks import attacks
from judges.dynamics import dynamics
from judges.excerpt import Excerpt
from judges.octave_bands import octave_bands
from judges.stereo_width import stereo_width
from judges.texture import texture


def describe(excerpt: Excerpt) -> dict[str, float]:
    """Return every descriptor of the excerpt; those it is too short or too sparse for are left out."""
    return {
        **dynamics(excerpt),
        **octave_bands(excerpt),
        **stereo_width(excerpt),
        **attacks(excerpt),
        **texture(excerpt),
    }
