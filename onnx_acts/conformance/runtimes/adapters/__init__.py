"""Other projects' runtimes, a function of one signature for each.

Such a function is what `onnx-acts conform --runtime module:callable` takes, too:

    run(operator, arrays, attributes) -> array, or several

with the operator's name in the table, its inputs, and every attribute by name. What the runtime
cannot do it says by NotImplementedError. The modules are loaded in processes of their own only.
"""
