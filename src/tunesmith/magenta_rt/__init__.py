"""Magenta RealTime 2: style, notes and drums of every frame -> codes -> samples, on ONNX Runtime, without an end.

A request passes through the files in this order: ``generator`` (request -> sequence) -> ``scheduler`` (queue -> rows)
-> ``engine`` (one frame for all rows) -> ``networks`` (the model's arithmetic) -> ``codec_stream`` (codes -> samples).
``checkpoint`` reads published weights, ``graph`` turns them into ONNX graphs.
"""
