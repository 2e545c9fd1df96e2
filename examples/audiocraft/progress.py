"""A bar of the progress, and the tokens of the result, decoded again."""

from audiocraft.models import MusicGen

model = MusicGen.get_pretrained("facebook/musicgen-small")
model.set_generation_params(duration=0.5, two_step_cfg=False)
steps = []


def show(generated: int, total: int) -> None:
    steps.append((generated, total))
    print(f"\rgenerated {generated} of {total}", end="")


model.set_custom_progress_callback(show)
wav, tokens = model.generate(descriptions=["drum song", "piano song"], progress=True, return_tokens=True)
again = model.compression_model.decode(tokens)
print()
print(tuple(wav.shape), tuple(tokens.shape), steps[0], steps[-1], bool((again == wav).all()))
