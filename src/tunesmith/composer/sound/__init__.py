"""Notes → sound: one voice an instrument, sampled from the bank or synthesised, and background ambience."""
