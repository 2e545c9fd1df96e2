"""Notes → sound: one voice per instrument, sampled from the bank or synthesised, and background ambience."""
