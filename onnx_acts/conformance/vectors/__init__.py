"""Test vectors: cases as files that any runtime reads, and the verdict on files that it writes.

A test is a folder as ONNX lays out its own node tests: a model, inputs, expected outputs. The set
`vectors 1` is frozen (docs/decisions/0017-frozen-vectors.md): its bytes are in this package, and no
change of the suite changes them.
"""
