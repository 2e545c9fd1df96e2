"""A reader of pickles that cannot run anything: names stay names, and only the builders it is given are called.

A pickle is a program for a small stack machine whose instructions may call any function. This machine knows the few
instructions that torch.save writes, and refuses every other one and every name that has no builder.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tunesmith.errors import ModelFileError

PUSHED = frozenset([
    "BINFLOAT", "BINBYTES", "BINBYTES8", "BININT", "BININT1", "BININT2", "BINSTRING", "BINUNICODE", "BINUNICODE8",
    "INT", "LONG", "LONG1", "LONG4", "SHORT_BINBYTES", "SHORT_BINSTRING", "SHORT_BINUNICODE", "UNICODE",
])  # fmt: skip
"""Instructions that push their own argument."""
LARGEST = 64 * 1024 * 1024  # real ones are below one megabyte


@dataclass(frozen=True, slots=True)
class Name:
    """A function or class that the pickle names; only ever looked up, never imported."""

    text: str


@dataclass(frozen=True, slots=True)
class AllowedGlobals:
    """What a pickle may say: ``builders`` of values, ``names`` that are arguments, and what an id stands for."""

    builders: Mapping[str, Callable[..., Any]]
    names: frozenset[str]
    resolve: Callable[[Any], Any]


@dataclass(slots=True)
class _RestrictedUnpickler:
    file: str
    vocabulary: AllowedGlobals
    stack: list[Any] = field(default_factory=list)
    below: list[list[Any]] = field(default_factory=list)  # the stacks under each mark
    memo: dict[int, Any] = field(default_factory=dict)

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.below.pop()
        return items

    def name(self, text: str) -> None:
        if text not in self.vocabulary.builders and text not in self.vocabulary.names:
            raise ModelFileError(self.file, f"it asks for {text}, which is not part of a plain checkpoint: refused")
        self.stack.append(Name(text))

    def reduce(self, _: Any) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Name) or function.text not in self.vocabulary.builders:
            raise ModelFileError(self.file, "it calls something that is not a function: refused")
        self.stack.append(self.vocabulary.builders[function.text](*arguments))

    def append(self, items: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise TypeError
        self.stack[-1].extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(target, dict) or not isinstance(key, str | int):
                raise TypeError
            target[key] = value

    def build(self, _: Any) -> None:
        self.stack.pop()  # attributes of a dict, such as torch's _metadata, are of no use here
        if not isinstance(self.stack[-1], dict):
            raise ModelFileError(self.file, "it sets attributes of something that is not a dict: refused")

    def take(self, count: int) -> list[Any]:
        items = self.stack[-count:]
        if len(items) != count:
            raise IndexError
        del self.stack[-count:]
        return items


_INSTRUCTIONS: Mapping[str, Callable[[_RestrictedUnpickler, Any], Any]] = {
    "PROTO": lambda _machine, _: None,
    "FRAME": lambda _machine, _: None,
    "MARK": _RestrictedUnpickler.mark,
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.take(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.take(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.take(3))),
    "APPEND": lambda machine, _: machine.append(machine.take(1)),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.take(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "BINPUT": lambda machine, index: machine.memo.update({index: machine.stack[-1]}),
    "LONG_BINPUT": lambda machine, index: machine.memo.update({index: machine.stack[-1]}),
    "MEMOIZE": lambda machine, _: machine.memo.update({len(machine.memo): machine.stack[-1]}),
    "BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "LONG_BINGET": lambda machine, index: machine.push(machine.memo[index]),
    "GLOBAL": lambda machine, text: machine.name(text.replace(" ", ".")),
    "STACK_GLOBAL": lambda machine, _: machine.name(".".join(machine.take(2))),
    "BINPERSID": lambda machine, _: machine.push(machine.vocabulary.resolve(machine.stack.pop())),
    "REDUCE": _RestrictedUnpickler.reduce,
    "BUILD": _RestrictedUnpickler.build,
}


def read_pickle(pickled: bytes, file: str, vocabulary: AllowedGlobals) -> Any:
    """Return the pickle's value; raise ModelFileError naming ``file`` where it is broken or asks for anything else."""
    if len(pickled) > LARGEST:
        raise ModelFileError(file, f"its pickle of {len(pickled)} bytes is larger than any checkpoint's")
    machine = _RestrictedUnpickler(file, vocabulary)
    try:
        for instruction, argument, _ in pickletools.genops(pickled):
            if instruction.name == "STOP":
                return machine.stack.pop()
            _execute(machine, instruction.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(file, "its pickle is broken") from error
    raise ModelFileError(file, "its pickle is cut off")


def _execute(machine: _RestrictedUnpickler, name: str, argument: Any) -> None:
    if name in PUSHED:
        machine.push(argument)
    elif name in _INSTRUCTIONS:
        _INSTRUCTIONS[name](machine, argument)
    else:
        raise ModelFileError(machine.file, f"it uses the pickle instruction {name}, which no checkpoint needs: refused")
