"""MusicGen: prompt -> text tokens -> codes -> samples, on ONNX Runtime or PyTorch.

A request passes through the files in this order: ``generator`` (request -> sequence) -> ``scheduler`` (queue -> rows)
->
``engine`` (one step for all rows) -> ``runner`` (the model's arithmetic) -> ``Codec`` (codes -> samples).
``checkpoint`` reads published weights, ``graph`` turns them into ONNX graphs.
"""
