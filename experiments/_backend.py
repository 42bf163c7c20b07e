"""What one backend alone can say."""

import keras


def device() -> str:
    """What Keras computes on, the first GPU where there is one: `gpu:0`, `cpu:0`, `cuda:0`."""
    if keras.config.backend() == "torch":  # Keras has no list of PyTorch's devices
        import torch

        return "cuda:0" if torch.cuda.is_available() else "cpu:0"
    return str(keras.distribution.list_devices()[0])


def execution(jit_compile: bool, steps_per_execution: int) -> dict[str, bool | int]:
    """How `compile` is told to run steps; PyTorch runs them one by one, without XLA."""
    if keras.config.backend() == "torch":
        return {"jit_compile": False, "steps_per_execution": 1}
    return {"jit_compile": jit_compile, "steps_per_execution": steps_per_execution}
