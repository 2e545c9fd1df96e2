"""The networks of Stable Audio as ONNX graphs."""
