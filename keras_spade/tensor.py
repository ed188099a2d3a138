"""The name of tensors in annotations."""

from typing import Any

# Tensors of the backend in use, symbolic tensors, Keras variables and arrays: they have no class in
# common.
Tensor = Any
