"""What the neural generators share: reading of checkpoints, building of ONNX graphs, sessions, and T5.

The package knows no model: ``musicgen`` and ``stable_audio`` build theirs from its parts.
"""
