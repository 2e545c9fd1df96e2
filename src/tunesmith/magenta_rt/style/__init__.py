"""MusicCoCa, the style encoder: prompt -> tokens -> embedding -> mapped to that of a recording -> twelve codes."""
