"""docs/live.asyncapi.yaml: the machine-readable description of live streams, to check messages against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

PATH = Path(__file__).parents[2] / "docs" / "live.asyncapi.yaml"


@cache
def description() -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return document


def schema_of(kind: str) -> Mapping[str, Any]:
    """Return the schema of a message, with the others that it refers to."""
    return {**description()["components"]["schemas"][kind], "components": description()["components"]}


def check_messages(messages: Iterable[Mapping[str, Any]]) -> None:
    """Fail for a message that is not as the description says."""
    for message in messages:
        jsonschema.validate(message, schema_of(message["type"]))
