"""Three styles over one melody from a file."""

import sys

import numpy as np
import torchaudio
from audiocraft.data.audio import audio_write
from audiocraft.models import MusicGen

model = MusicGen.get_pretrained("melody")
model.set_generation_params(duration=1.5, top_k=100, cfg_coef=4.0)
descriptions = ["happy rock", "energetic EDM", "sad jazz"]
melody, sr = torchaudio.load(sys.argv[1])
wav = model.generate_with_chroma(descriptions, melody[None].expand(3, -1, -1), sr)
for idx, one_wav in enumerate(wav):
    path = audio_write(f"{sys.argv[2]}/melody_{idx}", one_wav.cpu(), model.sample_rate, strategy="rms", format="flac")
    print(path, float(np.abs(one_wav.cpu().numpy()).max()) > 0)
