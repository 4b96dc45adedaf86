"""ONNX Runtime over a graph that torch exports: open_onnxruntime and onnxruntime_code."""
