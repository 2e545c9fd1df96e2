"""Published MusicGen models, in Hugging Face's layout and in audiocraft's."""

from tunesmith.musicgen.checkpoint.checkpoint import Checkpoint, Weights, needed_companions, open_checkpoint

__all__ = ["Checkpoint", "Weights", "needed_companions", "open_checkpoint"]
