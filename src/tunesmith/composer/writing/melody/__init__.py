"""The lead and its answers: motif, phrase, theme, and the notes that set them on the chords."""
