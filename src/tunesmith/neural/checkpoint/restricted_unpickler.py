"""Python's own unpickler, held to what torch.save writes: names stay names, and only the builders given are called.

A pickle is a program for a small stack machine whose instructions may call any function. Here every instruction that
no checkpoint needs is refused, and so is every name that has no builder.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tunesmith.errors import ModelFileError

ALLOWED = frozenset([
    "APPEND", "APPENDS", "BINBYTES", "BINBYTES8", "BINFLOAT", "BINGET", "BININT", "BININT1", "BININT2", "BINPERSID",
    "BINPUT", "BINSTRING", "BINUNICODE", "BINUNICODE8", "BUILD", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "FRAME",
    "GLOBAL", "INT", "LONG", "LONG1", "LONG4", "LONG_BINGET", "LONG_BINPUT", "MARK", "MEMOIZE", "NEWFALSE", "NEWTRUE",
    "NONE", "PROTO", "REDUCE", "SETITEM", "SETITEMS", "SHORT_BINBYTES", "SHORT_BINSTRING", "SHORT_BINUNICODE",
    "STACK_GLOBAL", "STOP", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "UNICODE",
])  # fmt: skip
# Real ones are below one megabyte.
LARGEST = 64 * 1024 * 1024
BROKEN = (ValueError, LookupError, TypeError, AttributeError, EOFError, struct.error, pickle.UnpicklingError)


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


def read_pickle(pickled: bytes, file: str, allowed: AllowedGlobals) -> Any:
    """Return the pickle's value; raise ModelFileError naming ``file`` where it is broken or asks for anything else."""
    if len(pickled) > LARGEST:
        raise ModelFileError(file, f"its pickle of {len(pickled)} bytes is larger than any checkpoint's")
    try:
        return _RestrictedUnpickler(pickled, file, allowed).load()
    except BROKEN as error:
        raise ModelFileError(file, "its pickle is broken") from error


def _refuse(instruction: str) -> Callable[[Any], None]:
    def refuse(unpickler: _RestrictedUnpickler) -> None:
        problem = f"it uses the pickle instruction {instruction}, which no checkpoint needs: refused"
        raise ModelFileError(unpickler.file, problem)

    return refuse


# Not the unpickler in C, whose only hooks are for names and ids: a few bytes make it reserve gigabytes for the index of
# a memo, or overrun the stack with the hash of nested tuples, and BUILD changes any object.
class _RestrictedUnpickler(pickle._Unpickler):
    stack: list[Any]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, pickled: bytes, file: str, allowed: AllowedGlobals) -> None:
        super().__init__(io.BytesIO(pickled), encoding="latin-1")
        self.file = file
        self.allowed = allowed

    def find_class(self, module: str, name: str) -> Name:
        """Return the name as a name, if it is allowed."""
        text = f"{module}.{name}"
        if text not in self.allowed.builders and text not in self.allowed.names:
            raise ModelFileError(self.file, f"it imports {text}, which is not part of a plain checkpoint: refused")
        return Name(text)

    def persistent_load(self, pid: Any) -> Any:
        """Return what an id stands for."""
        return self.allowed.resolve(pid)

    def load_reduce(self) -> None:
        """Call a builder, and nothing else."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Name) or function.text not in self.allowed.builders:
            raise ModelFileError(self.file, "it calls something that is not a function: refused")
        self.stack.append(self.allowed.builders[function.text](*arguments))

    def load_build(self) -> None:
        """Pass over attributes of a dict, such as torch's _metadata, which are of no use here."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise ModelFileError(self.file, "it sets attributes of something that is not a dict: refused")

    def load_setitem(self) -> None:
        """Put one pair into a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self._set_items([key, value])

    def load_setitems(self) -> None:
        """Put all pairs since the mark into a dict."""
        self._set_items(self.pop_mark())

    def _set_items(self, items: list[Any]) -> None:
        target = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(target, dict) or not isinstance(key, str | int):
                raise TypeError
            target[key] = value

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        **{ord(op.code): _refuse(op.name) for op in pickletools.opcodes if op.name not in ALLOWED},
        **{ord(op.code): pickle._Unpickler.dispatch[ord(op.code)] for op in pickletools.opcodes if op.name in ALLOWED},
        pickle.REDUCE[0]: load_reduce, pickle.BUILD[0]: load_build,
        pickle.SETITEM[0]: load_setitem, pickle.SETITEMS[0]: load_setitems,
    }  # fmt: skip
