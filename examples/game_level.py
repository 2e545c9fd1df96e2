"""Music for a game level: one seamless loop in three layers that play in sync, to cross-fade as the action rises."""

import tunesmith

piece = tunesmith.compose("fantasy forest adventure", form="loop", bars=8, seed=11)
for name, layer in zip(("explore", "alert", "fight"), piece.layers((0.25, 0.6, 1.0)), strict=False):
    audio = layer.mix()
    audio.save(f"level-{name}.ogg")
    print(f"level-{name}.ogg: {audio.duration:.2f} s, {', '.join(part.instrument for part in layer.parts)}")
