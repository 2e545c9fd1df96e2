"""The MusicGen networks on PyTorch, for GPUs."""
