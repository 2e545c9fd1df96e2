"""A bed for a 40 s video that turns on the logo at 0:12 and peaks at the reveal at 0:28."""

import tunesmith
from tunesmith import Hit

hits = (Hit(time=12), Hit(time=28, climax=True))
audio = tunesmith.generate("bright corporate background for a product video", duration=40, hits=hits, seed=3)
audio.save("video-bed.wav")
print(f"video-bed.wav: {audio.duration:.0f} s, licence: {audio.metadata['licence']}")
