"""Audio analysis: onsets, tempo and beats, key, levels and quality of any recording."""
