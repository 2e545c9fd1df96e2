"""Bass, chords, pads, arpeggios and drones."""
