"""ONNX Runtime and onnx.reference: sessions, where nodes ran, values, the operators themselves."""
