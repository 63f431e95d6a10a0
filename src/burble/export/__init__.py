"""Export a model: a page that writes, an ONNX graph, a folder to publish."""
