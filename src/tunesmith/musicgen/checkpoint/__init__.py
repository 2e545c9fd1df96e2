"""Published weights: Hugging Face's layout and audiocraft's, safetensors files and pickles."""

from tunesmith.musicgen.checkpoint.checkpoint import Checkpoint, Weights, needed_companions, open_checkpoint

__all__ = ["Checkpoint", "Weights", "needed_companions", "open_checkpoint"]
