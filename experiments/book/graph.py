"""What TensorFlow computes of a graph."""

from typing import Any


def needed(graph: Any) -> set[Any]:
    """Operations that the results hang on; TensorFlow leaves out the others when it computes."""
    needed, waiting = set(), [output.op for output in graph.outputs]
    while waiting:
        operation = waiting.pop()
        if operation not in needed:
            needed.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return needed
