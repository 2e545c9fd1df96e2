"""Command-line arguments: aliases of options and commands, and usage errors as one line with a suggestion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise, takewhile
from typing import Any

from tunesmith.field_names import FIELD_ALIASES, plain_form
from tunesmith.suggestions import near_names

OPTION_ALIASES: Mapping[str, str] = {
    **FIELD_ALIASES, "out": "output", "output": "out", "outfile": "output", "out_file": "output",
    "file": "output", "count": "variations", "number": "variations", "silent": "quiet",
}  # fmt: skip
FIELD_OF_OPTION: Mapping[str, str] = {
    "bpm": "tempo_bpm", "hit": "hits", "loudness": "loudness_lufs", "guidance": "guidance_scale",
    "score_in": "score",
}  # fmt: skip
"""Request fields by option, where the option has another name."""

OPTION_OF_FIELD: Mapping[str, str] = {field: option for option, field in FIELD_OF_OPTION.items()}

COMMAND_WORDS: Mapping[str, str] = {
    "help": "--help", "version": "--version", "ls": "list", "models": "list", "install": "pull", "download": "pull",
    "uninstall": "rm", "remove": "rm", "delete": "rm", "gen": "generate", "create": "generate", "make": "generate",
    "server": "serve",
}  # fmt: skip
"""Commands by the words that other programs use for them."""

OPTION_HINTS: Mapping[str, str] = {
    "format": "the suffix of the file chooses the format: -o music.mp3",
    "verbose": "progress is shown anyway; --json reports more",
}
"""What to do instead, by options that people expect but no command has."""

WITH_PROMPT = ("generate", "explain")
LONG = 8
"""The length from which a command matches loosely; a shorter one with two wrong letters is another word."""

SHORTEST = 4
"""The length from which a command is recognized despite one wrong letter."""

SHOWN = 60
"""How many characters of an option or a prompt an error quotes."""


def with_aliases(arguments: Sequence[str], root: Any) -> list[str]:
    """Return the arguments with every alias replaced by the command's own option; ``root`` is Click's root group.

    Options that the command has, and everything after ``--``, stay as they are.
    """
    command, depth = root, 0
    # Descend into groups, such as log show: each subcommand has options of its own.
    while depth < len(arguments) and (inner := getattr(command, "commands", {}).get(arguments[depth])):
        command, depth = inner, depth + 1
    known = option_names(command)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*(_own(argument, known) for argument in arguments[:end]), *arguments[end:]]


def option_names(command: Any) -> list[str]:
    """Return the long options of a Click command, ``--help`` included."""
    params = getattr(command, "params", ())
    names = (name for param in params for name in (*param.opts, *param.secondary_opts))
    return [name for name in names if name.startswith("--")] + ["--help"]


def own_option(word: str, known: Sequence[str]) -> str | None:
    """Return the option in ``known`` that a word in plain form stands for, or None."""
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


def command_mistake(arguments: Sequence[str], commands: Sequence[str]) -> str | None:
    """Return the error for a first word that is a misspelt command or another program's word for one, or None."""
    if not arguments or arguments[0] in commands or arguments[0].startswith("-"):
        return None
    word, *others = takewhile(lambda argument: not argument.startswith("-"), arguments)
    command = meant_command(word, commands)
    # A word alone is more likely a prompt than a misspelt command.
    if command is None and others:
        command = next(iter(near_names(word, commands, cutoff=0.75)), None)
    # So is a word of music, unless it is exactly a command or an alias of one.
    if command is None or (word.lower() not in (*COMMAND_WORDS, *commands) and _is_musical(word)):
        return None
    line = f"command: there is no command {word!r}; did you mean {command}?"
    if not others:
        return f"{line} To use the word as a prompt: tunesmith generate {word}"
    if any(len(other.split()) > 1 for other in others):
        return line
    return f"{line} If it is a prompt, put it in quotes: {_quoted([word, *others])}"


def _is_musical(word: str) -> bool:
    """Return whether the composer knows the word: ``bach`` is a prompt, not a misspelt ``batch``."""
    from tunesmith.composer.prompt.lexicon import lookup

    return bool(lookup(word.lower()))


def meant_command(word: str, commands: Sequence[str]) -> str | None:
    """Return the command that a misspelt word means, or None; ignore case and one extra, missing or swapped letter."""
    lower = word.lower()
    if lower in COMMAND_WORDS:
        return COMMAND_WORDS[lower]
    long = near_names(lower, [command for command in commands if len(command) >= LONG], cutoff=0.8)
    short = (command for command in commands if SHORTEST <= len(command) < LONG and _is_slip(lower, command))
    return next((command for command in (*long, *short)), lower if lower in commands else None)


def _is_slip(word: str, command: str) -> bool:
    dropped = set(_shortened(command)) if len(command) > SHORTEST else set()
    return word in dropped or command in _shortened(word) or word in _swapped(command)


def _shortened(word: str) -> Iterator[str]:
    # The word may be a whole prompt; no command is longer than this.
    return (word[:place] + word[place + 1 :] for place in range(min(len(word), SHOWN)))


def _swapped(word: str) -> Iterator[str]:
    return (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in range(len(word) - 1))


def usage_message(error: Exception, arguments: Sequence[str]) -> str | None:
    """Return one line for a usage error of the argument parser; None for any other error."""
    # Every usage error of Click has this method, whichever copy of Click raised it.
    show = getattr(error, "format_message", None)
    if show is None:
        return None
    context = getattr(error, "ctx", None)
    command = getattr(context, "command", None)
    if option := getattr(error, "option_name", None) if hasattr(error, "possibilities") else None:
        return _unknown_option(str(option), command)
    message = str(show())
    if command is not None and "unexpected extra argument" in message and _has_prompt(command):
        words = _leading_words(arguments)
        return f"prompt: must be one argument, got {len(words)}; put it in quotes: {_quoted(words, command.name)}"
    return _bad_value(error, arguments) or message


def _leading_words(arguments: Sequence[str]) -> list[str]:
    given = arguments[1:] if arguments and arguments[0] in WITH_PROMPT else arguments
    return list(takewhile(lambda argument: not argument.startswith("-"), given))


def _quoted(words: Sequence[str], command: str = "generate") -> str:
    prompt = " ".join(words).replace('"', "'")
    shown = prompt if len(prompt) <= SHOWN else f"{prompt[:SHOWN].rsplit(' ', 1)[0]} …"
    before = "tunesmith" if command == "generate" else f"tunesmith {command}"
    return f'{before} "{shown}"'


def option_words(command: Any) -> dict[str, str]:
    """Return the long options of a command by every name for them, aliases included, without dashes."""
    known = option_names(command)
    words = {name.removeprefix("--"): name for name in known}
    for alias in OPTION_ALIASES:
        own = own_option(alias, known)
        if own is not None:
            words.setdefault(alias.replace("_", "-"), own)
    return words


def _unknown_option(option: str, command: Any) -> str:
    line = f"no such option: {option[:SHOWN]}"
    word = option.lstrip("-")
    if word in OPTION_HINTS:
        return f"{line}; {OPTION_HINTS[word]}"
    words = option_words(command)
    # A single letter resembles too many options.
    near = near_names(word, words) if len(word) > 1 else []
    if near:
        return f"{line}; did you mean {words[near[0]]}?"
    return f"{line}; put a prompt that starts with - last, after --" if _has_prompt(command) else line


def _has_prompt(command: Any) -> bool:
    return getattr(command, "name", None) in WITH_PROMPT


def _bad_value(error: Exception, arguments: Sequence[str]) -> str | None:
    """Return the error for an option's value of the wrong type, with the value in it; None for any other error."""
    names = [name for name in getattr(getattr(error, "param", None), "opts", ()) if name.startswith("-")]
    expected = str(getattr(error, "message", "")).partition(",")[0]
    if not names or not expected.startswith("Input should be "):
        return None
    # Split --name=value, so that an option and its value are neighbours in both spellings.
    parts = [part for given in arguments for part in (given.split("=", 1) if given.startswith("--") else [given])]
    got = next((value for name, value in pairwise(parts) if name in names), None)
    field = max(names, key=len).removeprefix("--").replace("-", "_")
    return f"{field}: must be {expected.removeprefix('Input should be ')}" + (f", got {got[:40]!r}" if got else "")
