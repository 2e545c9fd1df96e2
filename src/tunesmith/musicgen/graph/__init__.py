"""ONNX graphs of the model's parts, built node by node from a checkpoint's weights."""
