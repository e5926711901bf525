"""Test vectors: cases as files that any runtime reads, and the verdict on files that it writes.

A test is a folder as ONNX lays out its own node tests: a model, inputs, expected outputs. The set
`vectors 1` is made from the suite's cases when it is asked for, and a hash of its bytes is in this
package: decision 17 says when they may change.
"""
