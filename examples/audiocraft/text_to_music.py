"""A loop over prompts, each written to a file, as on AudioCraft's front page."""

from audiocraft.data.audio import audio_write
from audiocraft.models import MusicGen

model = MusicGen.get_pretrained("facebook/musicgen-small")
model.set_generation_params(duration=1)  # seconds
prompts = ["happy rock", "energetic EDM", "sad jazz"]
for number, prompt in enumerate(prompts):
    wav = model.generate([prompt])
    for idx, one_wav in enumerate(wav):
        audio_write(
            f"out/{number}_{idx}", one_wav.cpu(), model.sample_rate, strategy="loudness", loudness_compressor=True
        )
