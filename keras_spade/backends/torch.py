"""PyTorch: gradients and updates. `keras_spade.backends` documents each function."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np
import torch

from keras_spade.arguments import ids_out_of_range
from keras_spade.backends.one_process import ARRAYS_STREAM_AS_DATASETS as ARRAYS_STREAM_AS_DATASETS
from keras_spade.backends.one_process import (
    READS_BATCHES_OF_PAST_STEPS as READS_BATCHES_OF_PAST_STEPS,
)
from keras_spade.backends.one_process import check_variables as check_variables
from keras_spade.backends.one_process import checking_first as checking_first
from keras_spade.backends.one_process import compiled as compiled
from keras_spade.backends.one_process import losing_no_worker as losing_no_worker
from keras_spade.backends.one_process import place_check as place_check
from keras_spade.backends.one_process import replicas as replicas
from keras_spade.backends.one_process import scope as scope
from keras_spade.backends.one_process import shared_by_workers as shared_by_workers
from keras_spade.backends.one_process import whole
from keras_spade.backends.one_process import workers as workers
from keras_spade.backends.one_process import writes_files as writes_files
from keras_spade.images import BEYOND, refusal
from keras_spade.tensor import Tensor

COMPILES_STEPS = False
FIRST_STEP = None
MULTIPLIES_BFLOAT16 = False
RUNS_MANY_STEPS = False
SHARES_BUFFERS = False
TRACES_TENSORFLOW = False


def run_step(model: keras.Model, step: Callable, data: Any) -> dict:
    """Runs a step on the whole batch."""
    return step(data, whole(data))


def run_predict_step(step: Callable, data: Any) -> Any:
    """Runs Keras' own step."""
    return step(data)


def minimize(
    losses: Callable[[], dict],
    variables: Sequence[keras.Variable],
    optimizer: keras.optimizers.Optimizer,
    statistics: Sequence[keras.Variable] = (),
    noise: Sequence[keras.Variable] = (),
    reads: Sequence[keras.Variable] = (),
    share: float = 1.0,
) -> tuple[dict, Any]:
    """Differentiates the sum of `losses()` and applies the optimizer if everything is finite."""
    before = _copy([variable.value for variable in statistics])
    with torch.enable_grad():
        values = losses()
        total = sum(values.values())
        scaled = optimizer.scale_loss(total)
    values = {name: value.detach() for name, value in values.items()}
    with torch.no_grad():
        gradients, variables = _gradients(scaled, variables)
        finite = bool(all_finite([total, *gradients]))
        if finite and variables:
            optimizer.apply(gradients, variables)
        skipped = not finite
        if skipped:
            sizes = [variable.value.numel() for variable in statistics]
            for variable, value in zip(statistics, before.split(sizes), strict=True):
                variable.assign(value.view(variable.shape))
            if isinstance(optimizer, keras.optimizers.LossScaleOptimizer) and variables:
                searching = optimizer.dynamic_scale > 1.0
                skipped = not (bool(searching) and bool(all_finite([total])))
                optimizer.apply([gradients[0] * float("nan"), *gradients[1:]], variables)
    return values, torch.tensor(skipped, device=total.device)


def _copy(tensors):
    """Copies tensors into one flat tensor of the widest dtype, in a single call."""
    flat = [x.detach().reshape(-1) for x in tensors]
    return torch.cat(flat) if flat else torch.empty(0)


def _gradients(scalar, variables):
    """Gradients, and the variables that have one."""
    pairs = [(variable, variable.value) for variable in variables]
    pairs = [(variable, value) for variable, value in pairs if value.requires_grad]
    if not pairs or not scalar.requires_grad:
        return [], []
    found = torch.autograd.grad(scalar, [value for _, value in pairs], allow_unused=True)
    pairs = [(g, v) for g, (v, _) in zip(found, pairs, strict=True) if g is not None]
    return [g for g, _ in pairs], [v for _, v in pairs]


def all_finite(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Whether all tensors, and the sums of their squares, are finite."""
    wide = [x.float() if x.dtype.itemsize < 4 else x for x in tensors]
    norms = torch._foreach_norm(wide)
    finite = []
    for dtype in {norm.dtype for norm in norms}:
        of_dtype = torch.stack([norm for norm in norms if norm.dtype == dtype])
        finite.append(of_dtype.square().isfinite().all())
    return torch.stack(finite).all()


def without_gradients() -> AbstractContextManager:
    """A context in which nothing is stored for gradients."""
    return torch.no_grad()


def on_host(function: Callable, *tensors: Tensor, shape: tuple | None = None) -> np.ndarray | None:
    """Calls a function with arrays, immediately."""
    return function(*map(keras.ops.convert_to_numpy, tensors))


def check_label_range(labels: Tensor, num_classes: int) -> Tensor:
    """Raises, naming the range, for ids outside `0..num_classes-1`."""
    if labels.is_meta or torch.compiler.is_compiling() or not labels.numel():
        return labels
    low, high = (int(end) for end in torch.aminmax(labels))
    if low < 0 or high >= num_classes:
        raise ValueError(ids_out_of_range(num_classes, low, high))
    return labels


def check_image_range(argument: str, image: Tensor, others: dict) -> tuple[Any, dict]:
    """Raises, naming the range, for integers and for floats outside [-1, 1]."""
    floating = image.dtype.is_floating_point
    if not image.is_meta and not torch.compiler.is_compiling() and image.numel():
        finite = torch.where(image.isfinite(), image, 0) if floating else image.long()
        low, high = (end.item() for end in torch.aminmax(finite))
        if not floating or low < -BEYOND or high > BEYOND:
            begin, end = refusal(argument, keras.backend.standardize_dtype(image.dtype))
            raise ValueError(f"{begin} {low}, {high} {end}.")
    return image, others


def guarded(
    model: keras.Model,
    function: Callable,
    prepare: Callable,
    counters: Sequence[keras.Variable] = (),
    steps: Callable[[], int | None] = lambda: None,
) -> Callable:
    """The function, unchanged: steps check their batches themselves."""
    return function


def pass_over(
    model: keras.Model,
    arguments: tuple,
    restore: Callable | None,
    counters: Sequence[keras.Variable],
) -> dict:
    """The averages so far."""
    if restore is not None:
        restore()
    return model.get_metrics_result()


def inference(
    model: keras.Model, function: Callable, variables: Sequence[keras.Variable]
) -> Callable:
    """The function, run without gradients."""

    def run(inputs):
        with torch.no_grad():
            return function(inputs)

    return run


def check_batches(
    x: Any, batch_size: int | None = None, steps_per_epoch: int | None = None
) -> None:
    """Does nothing: there is one device."""


def smallest_batch() -> int:
    """Always 1."""
    return 1
