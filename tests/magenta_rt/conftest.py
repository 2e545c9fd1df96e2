from __future__ import annotations

from pathlib import Path

import pytest

from tunesmith.neural.quantization import BLOCKWISE


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model folder of the reference's tiny checkpoint, in float32."""
    from magenta_models import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("magenta"))


@pytest.fixture(scope="session")
def quantized_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with 8-bit weights, whose kernels round in their own ways."""
    from magenta_models import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("magenta8"), BLOCKWISE)
