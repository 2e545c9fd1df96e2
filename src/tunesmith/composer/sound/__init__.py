"""Notes → sound: one voice per instrument, sampled from the bank or synthesized, and background ambience."""
