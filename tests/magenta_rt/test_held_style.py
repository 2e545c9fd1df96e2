from __future__ import annotations

from typing import cast

from tunesmith.magenta_rt.held_style import HeldStyle
from tunesmith.magenta_rt.style.encoder import StyleEncoder


def test_an_encoder_is_opened_by_the_first_holder_and_closed_after_the_last() -> None:
    opened: list[object] = []

    def open_encoder() -> StyleEncoder:
        opened.append(object())
        return cast("StyleEncoder", opened[-1])

    style = HeldStyle(open_encoder)
    assert style.hold() is style.hold() is opened[0]
    style.release()
    assert style.hold() is opened[0]
    style.release()
    style.release()
    assert style.hold() is opened[1]
