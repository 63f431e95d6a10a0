"""A model in other forms: a page that writes, an ONNX graph, a folder to publish."""
