"""Reading PyTorch weight files without unpickling objects."""

import os

import numpy as np


def read_pth(argument: str, path: str) -> dict[str, np.ndarray]:
    """Returns the arrays of a PyTorch file by name.

    Args:
        argument: the name of the argument, for messages.
        path: of a file with a mapping of names to tensors.

    Raises:
        ValueError: naming the argument, if the file does not exist or holds something else.
        ImportError: without PyTorch.
    """
    if not os.path.isfile(path):
        raise ValueError(f"{argument}: no such file: {path!r}.")
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"Reading {path!r} needs PyTorch (`pip install torch`); a mapping of names to arrays "
            "does not."
        ) from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{argument}: {path!r} is not a PyTorch weight file ({error}).") from error
    if not isinstance(state, dict) or not all(torch.is_tensor(t) for t in state.values()):
        raise ValueError(f"{argument}: {path!r} does not hold a mapping of names to tensors.")
    return {name: tensor.detach().to(torch.float32).numpy() for name, tensor in state.items()}
