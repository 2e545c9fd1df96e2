"""audiocraft's layout: two pickles, each with weights and YAML settings; the text encoder is in another repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tunesmith.errors import ModelFileError
from tunesmith.neural.checkpoint.config_reader import ConfigReader
from tunesmith.neural.checkpoint.tensors import StoredTensor, Tensor
from tunesmith.neural.checkpoint.torch_file import read_torch_file
from tunesmith.neural.checkpoint.weight_files import check_is_there, fold_weight_norm, tensors_of

DECODER_FILE = "state_dict.bin"
CODEC_FILE = "compression_state_dict.bin"
DECODER_NAMES = [
    (r"condition_provider\.conditioners\.description\.output_proj\.", "enc_to_dec_proj."),
    (r"condition_provider\.conditioners\.self_wav\.output_proj\.", "audio_enc_to_dec_proj."),
    (r"emb\.", "decoder.model.decoder.embed_tokens."),
    (r"linears\.", "decoder.lm_heads."),
    (r"out_norm\.", "decoder.model.decoder.layer_norm."),
    (r"transformer\.(layers\.\d+)\.norm1\.", r"decoder.model.decoder.\1.self_attn_layer_norm."),
    (r"transformer\.(layers\.\d+)\.norm_cross\.", r"decoder.model.decoder.\1.encoder_attn_layer_norm."),
    (r"transformer\.(layers\.\d+)\.norm2\.", r"decoder.model.decoder.\1.final_layer_norm."),
    (r"transformer\.(layers\.\d+)\.linear([12])\.", r"decoder.model.decoder.\1.fc\2."),
    (r"transformer\.(layers\.\d+)\.self_attn\.", r"decoder.model.decoder.\1.self_attn."),
    (r"transformer\.(layers\.\d+)\.cross_attention\.", r"decoder.model.decoder.\1.encoder_attn."),
]
CODEC_NAMES = [
    (r"^(encoder|decoder)\.model\.", r"audio_encoder.\1.layers."),
    (r"^quantizer\.vq\.layers\.(\d+)\._codebook\.", r"audio_encoder.quantizer.layers.\1.codebook."),
    (r"\.(conv\.conv|convtr\.convtr)\.", ".conv."),
]
FUSED = "in_proj_weight"
# Maximum nesting of the settings; real ones have 5 levels.
DEEPEST = 30
# Maximum number of references between settings that are followed.
LONGEST_CHAIN = 10


@dataclass(frozen=True, slots=True)
class Package:
    """One of the two files: its settings, and its weights under audiocraft's names.

    ``pretrained`` is the repository that a codec file may name instead of holding weights.
    """

    settings: ConfigReader
    tensors: Mapping[str, StoredTensor]
    pretrained: str | None = None


def read_package(folder: Path, file: str) -> Package:
    """Read one of the two files without its tensors. Raises ModelFileError if it is broken or of another kind."""
    check_is_there(folder / file)
    saved = read_torch_file(folder / file)
    match saved:
        case {"pretrained": str(repository)}:
            return Package(ConfigReader(file, {}), {}, repository.removeprefix("//pretrained/"))
        case {"best_state": dict(state), "xp.cfg": str(text)}:
            return Package(ConfigReader(file, parse_settings(text, file)), tensors_of(state, file))
        case _:
            raise ModelFileError(file, "it has no best_state and xp.cfg: not exported by audiocraft")


def parse_settings(text: str, file: str) -> dict[str, Any]:
    """Parse ``xp.cfg`` and resolve references to other settings, such as ``${sample_rate}``. Raises ModelFileError."""
    try:
        _check_size(text, file)
        settings = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ModelFileError(file, "xp.cfg: it is not YAML") from error
    if not isinstance(settings, dict):
        raise ModelFileError(file, "xp.cfg: it is not a table")
    return {str(name): _resolve(value, settings) for name, value in settings.items()}


def decoder_tensors(package: Package) -> dict[str, Tensor]:
    """Return the decoder's and projections' tensors under Hugging Face's names, with fused projections split."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in package.tensors.items():
        renamed = _renamed(name)
        if not renamed.endswith(FUSED):
            tensors[renamed] = tensor
            continue
        if tensor.shape[0] % 3:
            raise ModelFileError(DECODER_FILE, f"{name} has shape {tensor.shape}, not three projections")
        for part, projection in enumerate("qkv"):
            tensors[renamed.replace(FUSED, f"{projection}_proj.weight")] = tensor.part(part, 3)
    return tensors


def codec_tensors(package: Package) -> dict[str, Tensor]:
    """Return EnCodec's tensors under Hugging Face's names, with weight norm folded."""
    tensors: dict[str, Tensor] = {}
    for name, tensor in package.tensors.items():
        for theirs, ours in CODEC_NAMES:
            name = re.sub(theirs, ours, name)
        tensors[name] = tensor
    return fold_weight_norm(tensors)


def _renamed(name: str) -> str:
    for theirs, ours in DECODER_NAMES:
        match = re.match(theirs, name)
        if match:
            return match.expand(ours) + name[match.end() :]
    return name


def _check_size(text: str, file: str) -> None:
    """Refuse YAML that expands to far more than its text, or that takes the parser very long."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        # Aliases allow a "billion laughs" file, and deep nesting overflows the stack.
        if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
            raise ModelFileError(file, "xp.cfg: it is nested or repeats parts as no export of audiocraft does: refused")


def _resolve(value: Any, settings: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {str(name): _resolve(inner, settings) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolve(inner, settings) for inner in value]
    return _resolve_reference(value, settings)


def _resolve_reference(value: Any, settings: Mapping[str, Any]) -> Any:
    """Follow references to a plain value; an unresolvable or circular one stays, and fails where it is used."""
    for _ in range(LONGEST_CHAIN):
        match = re.fullmatch(r"\$\{([\w.]+)\}", value) if isinstance(value, str) else None
        if match is None:
            break
        found: Any = settings
        for step in match[1].split("."):
            found = found.get(step, value) if isinstance(found, dict) else value
        value = value if isinstance(found, dict | list) else found
    return value
