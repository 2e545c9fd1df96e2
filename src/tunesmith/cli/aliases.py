"""Other words for options: ``--length`` for ``--duration``, ``--tempo`` for ``--bpm``, wherever a command has those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tunesmith.suggestions import FIELD_ALIASES, plain_form

OPTION_ALIASES: Mapping[str, str] = {
    **FIELD_ALIASES, "out": "output", "output": "out", "outfile": "output", "out_file": "output",
    "file": "output", "count": "variations", "number": "variations", "silent": "quiet",
}  # fmt: skip
FIELD_OF_OPTION: Mapping[str, str] = {
    "bpm": "tempo_bpm", "hit": "hits", "loudness": "loudness_lufs", "guidance": "guidance_scale",
}  # fmt: skip
"""Fields of a request by the option that is called otherwise."""

OPTION_OF_FIELD: Mapping[str, str] = {field: option for option, field in FIELD_OF_OPTION.items()}


def with_aliases(arguments: Sequence[str], root: Any) -> list[str]:
    """Return the arguments with the command's own option in the place of every alias; ``root`` is the parser's group.

    What the command knows itself, and all that is behind ``--``, stays as it is.
    """
    command, depth = root, 0
    while depth < len(arguments) and (inner := getattr(command, "commands", {}).get(arguments[depth])):
        command, depth = inner, depth + 1
    known = option_names(command)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*(_own(argument, known) for argument in arguments[:end]), *arguments[end:]]


def option_names(command: Any) -> list[str]:
    """Return the long options of a command of the parser."""
    params = getattr(command, "params", ())
    names = (name for param in params for name in (*param.opts, *param.secondary_opts))
    return [name for name in names if name.startswith("--")] + ["--help"]


def own_option(word: str, known: Sequence[str]) -> str | None:
    """Return the option out of ``known`` that a word in plain form stands for; None where there is none."""
    for field in (word, OPTION_ALIASES.get(word, "")):
        option = f"--{OPTION_OF_FIELD.get(field, field).replace('_', '-')}"
        if field and option in known:
            return option
    return None


def _own(argument: str, known: Sequence[str]) -> str:
    name, equals, value = argument.partition("=")
    if not name.startswith("--") or name in known:
        return argument
    option = own_option(plain_form(name.removeprefix("--")), known)
    return argument if option is None else f"{option}{equals}{value}"
