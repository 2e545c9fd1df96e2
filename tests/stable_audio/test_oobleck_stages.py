from __future__ import annotations

from tunesmith.stable_audio.architecture import OobleckShape
from tunesmith.stable_audio.oobleck_stages import OobleckStages, decoder_context, encoder_context

PUBLISHED = OobleckShape(128, (1, 2, 4, 8, 16), (2, 4, 4, 8, 8), 64)


def test_the_published_autoencoder_needs_ten_latents_to_decode_and_eight_to_encode() -> None:
    assert (decoder_context(PUBLISHED), encoder_context(PUBLISHED)) == (10, 8)


def test_the_tail_needs_a_quarter_of_a_latent() -> None:
    stages = OobleckStages.of(PUBLISHED)
    assert (stages.head_strides, stages.tail_strides, stages.width) == ((8, 8), (4, 4, 2), 512)
    assert (stages.positions, stages.samples, stages.context) == (64, 32, 15)
