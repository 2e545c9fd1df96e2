"""Score to dry stems: notes are scheduled in samples, rendered by voices and summed block by block."""

from tunesmith.composer.render.ambience import AmbienceLoop as AmbienceLoop
from tunesmith.composer.render.ambience import AmbienceTexture as AmbienceTexture
from tunesmith.composer.render.intensity import audible_parts as audible_parts
from tunesmith.composer.render.intensity import kick_samples as kick_samples
from tunesmith.composer.render.intensity import length_in_samples as length_in_samples
from tunesmith.composer.render.part_renderer import PartPlayer as PartPlayer
from tunesmith.composer.render.part_renderer import Voices as Voices
from tunesmith.composer.render.render_threads import RenderThreads as RenderThreads
from tunesmith.composer.render.render_threads import usable_threads as usable_threads
from tunesmith.composer.render.stems import DryStems as DryStems
