"""Names and shapes of the tensors of the decoder and of EnCodec."""

from __future__ import annotations

from tunesmith.musicgen.architecture import Architecture, CodecShape, TransformerShape
from tunesmith.neural.checkpoint.tensor_shapes import Named, Shapes


def decoder_shapes(architecture: Architecture) -> Shapes:
    """Return the tensor shapes of the decoder and of the projections into it."""
    text, decoder, chroma = architecture.text_encoder, architecture.decoder, architecture.chroma
    shapes = dict(_decoder(decoder, cross_attention=chroma is None))
    shapes |= _projection("enc_to_dec_proj", text.hidden_size, decoder.hidden_size)
    if chroma is not None:
        shapes |= _projection("audio_enc_to_dec_proj", chroma.num_chroma, decoder.hidden_size)
    return shapes


def codec_shapes(codec: CodecShape) -> Shapes:
    """Return the tensor shapes of EnCodec, with weight norm folded."""
    return {f"audio_encoder.{name}": shape for name, shape in (*_encoder(codec), *_decoder_of(codec), *_books(codec))}


def _projection(name: str, inputs: int, outputs: int) -> Shapes:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _norm(name: str, size: int) -> Named:
    yield f"{name}.weight", (size,)
    yield f"{name}.bias", (size,)


def _decoder(shape: TransformerShape, *, cross_attention: bool) -> Named:
    hidden, stem = shape.hidden_size, "decoder.model.decoder."
    for k in range(shape.num_codebooks):
        yield f"{stem}embed_tokens.{k}.weight", (shape.codebook_size + 1, hidden)
        yield f"decoder.lm_heads.{k}.weight", (shape.codebook_size, hidden)
    for layer in range(shape.num_layers):
        prefix = f"{stem}layers.{layer}."
        for attention in ("self_attn", "encoder_attn") if cross_attention else ("self_attn",):
            for projection in ("q_proj", "k_proj", "v_proj", "out_proj"):
                yield f"{prefix}{attention}.{projection}.weight", (hidden, hidden)
            yield from _norm(f"{prefix}{attention}_layer_norm", hidden)
        yield f"{prefix}fc1.weight", (shape.ffn_size, hidden)
        yield f"{prefix}fc2.weight", (hidden, shape.ffn_size)
        yield from _norm(f"{prefix}final_layer_norm", hidden)
    yield from _norm(f"{stem}layer_norm", hidden)


def _convolution(name: str, outputs: int, inputs: int, kernel: int, *, transposed: bool = False) -> Named:
    # Transposed convolutions store their input channels first.
    yield f"{name}.conv.weight", (inputs, outputs, kernel) if transposed else (outputs, inputs, kernel)
    yield f"{name}.conv.bias", (outputs,)


def _recurrence(name: str, width: int, num_layers: int) -> Named:
    for layer in range(num_layers):
        for side in ("ih", "hh"):
            yield f"{name}.lstm.weight_{side}_l{layer}", (4 * width, width)
            # The four gates of an LSTM are stacked.
            yield f"{name}.lstm.bias_{side}_l{layer}", (4 * width,)


def _residual(name: str, width: int, codec: CodecShape) -> Named:
    hidden = width // codec.compress
    yield from _convolution(f"{name}.block.1", hidden, width, codec.residual_kernel_size)
    yield from _convolution(f"{name}.block.3", width, hidden, 1)
    if codec.conv_shortcut:
        yield from _convolution(f"{name}.shortcut", width, width, 1)


def _encoder(codec: CodecShape) -> Named:
    width, layer = codec.num_filters, 1
    yield from _convolution("encoder.layers.0", width, 1, codec.kernel_size)
    for ratio in reversed(codec.ratios):
        for _ in range(codec.num_residual_layers):
            yield from _residual(f"encoder.layers.{layer}", width, codec)
            layer += 1
        # The layer numbers count activations, which have no tensors.
        yield from _convolution(f"encoder.layers.{layer + 1}", 2 * width, width, 2 * ratio)
        width, layer = 2 * width, layer + 2
    yield from _recurrence(f"encoder.layers.{layer}", width, codec.num_lstm_layers)
    yield from _convolution(f"encoder.layers.{layer + 2}", codec.latent_size, width, codec.last_kernel_size)


def _decoder_of(codec: CodecShape) -> Named:
    width, layer = codec.num_filters * 2 ** len(codec.ratios), 2
    yield from _convolution("decoder.layers.0", width, codec.latent_size, codec.kernel_size)
    yield from _recurrence("decoder.layers.1", width, codec.num_lstm_layers)
    for ratio in codec.ratios:
        yield from _convolution(f"decoder.layers.{layer + 1}", width // 2, width, 2 * ratio, transposed=True)
        width, layer = width // 2, layer + 2
        for _ in range(codec.num_residual_layers):
            yield from _residual(f"decoder.layers.{layer}", width, codec)
            layer += 1
    yield from _convolution(f"decoder.layers.{layer + 1}", 1, width, codec.last_kernel_size)


def _books(codec: CodecShape) -> Named:
    for k in range(codec.num_codebooks):
        yield f"quantizer.layers.{k}.codebook.embed", (codec.codebook_size, codec.latent_size)
