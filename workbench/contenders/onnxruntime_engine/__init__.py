"""ONNX Runtime over a graph that torch exports."""
