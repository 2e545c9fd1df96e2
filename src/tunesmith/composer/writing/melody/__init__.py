"""The lead and the counter-melody: motif, phrase, theme, and their pitches over the chords."""
