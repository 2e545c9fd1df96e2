"""MusicGen: prompt -> text tokens -> codes -> samples, on ONNX Runtime.

The way of a request is the list of files: ``generator`` (request -> sequence) -> ``scheduler`` (waiting -> rows) ->
``engine`` (one step for all rows) -> ``runner`` (the model's arithmetic) -> ``codec`` (codes -> samples).
``checkpoint`` reads published weights, ``graph`` turns them into ONNX graphs.
"""
