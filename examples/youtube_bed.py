"""A bed under the speech of a 40 s video, that turns on the logo at 0:12 and peaks at the reveal at 0:28.

As long as your own video: python youtube_bed.py 95
"""

import sys

import tunesmith
from tunesmith import Hit

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 40.0
hits = [Hit(time=0.3 * seconds), Hit(time=0.7 * seconds, climax=True)]
prompt = "bright corporate background for a product video"
audio = tunesmith.generate(prompt, duration=seconds, hits=hits, loudness_lufs=-23, seed=3)
audio.save("youtube-bed.wav")
print(f"youtube-bed.wav: {audio.duration:g} s, licence: {audio.metadata['licence']}")
