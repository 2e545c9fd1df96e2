"""A batch of sound effects."""

import audiocraft
from audiocraft.data.audio import audio_write
from audiocraft.models import AudioGen

print(audiocraft.__version__)
model = AudioGen.get_pretrained("facebook/audiogen-medium")
model.set_generation_params(duration=1)
descriptions = ["dog barking", "sirene of an emergency vehicle", "footsteps in a corridor"]
wav = model.generate(descriptions)
for idx, one_wav in enumerate(wav):
    audio_write(f"{idx}", one_wav.cpu(), model.sample_rate, strategy="loudness", loudness_compressor=True)
