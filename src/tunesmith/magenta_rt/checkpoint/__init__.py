"""Magenta RealTime's published files: the language model and the codec in safetensors, the style encoder in TFLite."""
