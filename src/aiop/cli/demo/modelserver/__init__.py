"""The server of the demo's pods: ONNX Runtime behind the V2 protocol, started with the arguments of Triton."""
