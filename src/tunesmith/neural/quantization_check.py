"""The result of measuring a quantized model against float32, as a manifest keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QuantizationCheck:
    """Relative errors against float32: of the model, and of a run in bfloat16; and the layers of each form.

    ``limit`` is how many times bfloat16's error is accepted.
    """

    error: float
    bfloat16_error: float
    forms: Mapping[str, int]
    limit: float = 1.0

    @property
    def is_within(self) -> bool:
        """Whether the error stays within the limit."""
        return self.error <= self.limit * self.bfloat16_error

    def __str__(self) -> str:
        """Return the result in two lines."""
        forms = ", ".join(f"{count} {name}" for name, count in sorted(self.forms.items()))
        relation = "within" if self.is_within else "above"
        times = "" if self.limit == 1 else f"{self.limit:g} times "
        return f"error {self.error:.2%}, {relation} {times}bfloat16's own {self.bfloat16_error:.2%}\nlayers: {forms}"
