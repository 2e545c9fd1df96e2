"""MusicGen's networks run by PyTorch on a GPU."""
