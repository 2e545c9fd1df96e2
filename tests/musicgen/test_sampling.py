from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.musicgen.sampling import SamplerSettings, guide
from tunesmith.neural.sampling import Logits


def scores(seed: int) -> Logits:
    return (3 * np.random.default_rng(seed).normal(size=(4, 300))).astype(np.float32)


def test_guidance_moves_from_the_unconditional_to_the_conditional_and_beyond() -> None:
    conditional, unconditional = scores(1), scores(2)
    assert guide(conditional, unconditional, 0.0) == pytest.approx(unconditional)
    assert guide(conditional, unconditional, 1.0) == pytest.approx(conditional, abs=1e-5)
    assert guide(conditional, unconditional, 3.0) == pytest.approx(3 * conditional - 2 * unconditional, abs=1e-4)


def test_settings_are_described_in_one_order_and_refused_by_name() -> None:
    assert list(asdict(SamplerSettings())) == ["temperature", "top_k", "top_p", "guidance_scale"]
    for field, value in (("guidance_scale", 0.5), ("temperature", -1.0)):
        with pytest.raises(InvalidRequest, match=field):
            SamplerSettings(**{field: value})  # type: ignore[arg-type]
