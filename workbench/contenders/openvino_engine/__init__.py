"""OpenVINO over a graph that torch exports: open_openvino and openvino_code."""
