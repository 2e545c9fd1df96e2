"""Where a layout keeps each tensor of a model, and the check that it is there with its shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.tensor_shapes import Shapes
from tunesmith.neural.checkpoint.tensors import JoinedTensor, RearrangedTensor, Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredForm:
    """The form of a tensor in a file: its shape there, and the order to bring its axes into (None: as they are)."""

    shape: Shape
    axes: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class StoredPlace:
    """The place of a tensor in a layout: its ``names`` there, several for joined parts, and the accepted forms.

    Without ``forms``, the tensor has its own shape.
    """

    names: tuple[str, ...]
    forms: tuple[StoredForm, ...] = ()


FindPlace = Callable[[str, Shape], StoredPlace]
"""A layout: the name and the shape of a tensor to its place in the files."""


def place_tensors(tensors: Mapping[str, Tensor], shapes: Shapes, find: FindPlace, file: str) -> dict[str, Tensor]:
    """Return the tensors of these names, found in a layout's own names and brought into these shapes.

    Raises ModelFileError, with the file's own name of the tensor, the expected and the found shape, if one is missing
    or has another shape. No data is read.
    """
    return {name: _place(tensors, shape, find(name, shape), file) for name, shape in shapes.items()}


def check_all_used(
    tensors: Mapping[str, Tensor], shapes: Shapes, find: FindPlace, ignored: Callable[[str], bool]
) -> None:
    """Raise ModelFileError for a tensor that the architecture has no use for: the model is then of another kind."""
    used = {own for name, shape in shapes.items() for own in find(name, shape).names}
    for name, tensor in tensors.items():
        if name not in used and not ignored(name):
            raise ModelFileError(tensor.file, f"{name} of shape {tensor.shape} has no place in the model described")


def _place(tensors: Mapping[str, Tensor], shape: Shape, place: StoredPlace, file: str) -> Tensor:
    forms = place.forms or (StoredForm(shape),)
    parts = [_part(tensors, name, forms, len(place.names), file) for name in place.names]
    whole = parts[0] if len(parts) == 1 else JoinedTensor(tuple(parts))
    if whole.shape == shape:
        return whole
    form = next(form for form in forms if form.shape == whole.shape)
    return RearrangedTensor(whole, shape, form.axes)


def _part(
    tensors: Mapping[str, Tensor], name: str, forms: tuple[StoredForm, ...], parts: int, file: str
) -> Tensor:  # fmt: skip
    accepted = [(form.shape[0] // parts, *form.shape[1:]) for form in forms]
    expected = " or ".join(map(str, accepted))
    if name not in tensors:
        raise ModelFileError(file, f"{name} of shape {expected} is missing")
    if tensors[name].shape not in accepted:
        problem = f"{name} has shape {tensors[name].shape}; the model described asks for {expected}"
        raise ModelFileError(tensors[name].file, problem)
    return tensors[name]
