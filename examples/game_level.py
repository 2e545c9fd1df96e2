"""Music for a game level: one seamless loop at three energies, in sync, to cross-fade between as the action rises."""

import tunesmith

piece = tunesmith.compose("fantasy forest adventure", form="loop", bars=8, seed=11)
for name, intensity in (("explore", 0.25), ("alert", 0.6), ("fight", 1.0)):
    audio = piece.at_intensity(intensity).mix()
    audio.save(f"level-{name}.ogg")
    print(f"level-{name}.ogg: {audio.duration:.2f} s, {piece.score.bars} bars at {piece.brief.tempo_bpm:g} bpm")
