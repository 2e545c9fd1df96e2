"""The first second of a recording, continued."""

import argparse

from audiocraft.data.audio import audio_read, audio_write
from audiocraft.data.audio_utils import convert_audio
from audiocraft.models.musicgen import MusicGen

parser = argparse.ArgumentParser()
parser.add_argument("prompt")
parser.add_argument("--output", default="continued")
args = parser.parse_args()

model = MusicGen.get_pretrained("facebook/musicgen-small", device="cpu")
model.set_generation_params(use_sampling=True, top_k=250, duration=2.0)
prompt_waveform, prompt_sr = audio_read(args.prompt)
prompt_waveform = prompt_waveform[..., : int(1.0 * prompt_sr)]
output = model.generate_continuation(prompt_waveform, prompt_sample_rate=prompt_sr, descriptions=["slow piano"])
audio_write(args.output, convert_audio(output[0], model.sample_rate, 44100, 2), 44100, format="mp3", mp3_rate=192)
