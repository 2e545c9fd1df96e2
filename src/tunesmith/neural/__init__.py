"""What the neural generators share: reading of checkpoints, building of ONNX graphs, sessions, batches, and T5.

The package knows no model: ``musicgen``, ``stable_audio`` and ``magenta_rt`` build theirs from its parts.
"""
