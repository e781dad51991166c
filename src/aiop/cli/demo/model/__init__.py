"""The demo's model: a small sentiment classifier that stands in for BERT, trained here and written as ONNX."""
