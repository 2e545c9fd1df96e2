"""Five stings for a podcast, to choose one from."""

import tunesmith

for seed in range(1, 6):
    audio = tunesmith.generate("warm funky podcast intro", form="sting", duration=4, seed=seed)
    audio.save(f"sting-{seed}.flac")
    print(f"sting-{seed}.flac: {audio.metadata['title']}, {audio.duration:.0f} s")
