import collections

import keras
import numpy as np
import pytest
from keras import ops
from support.backends import only_on
from support.golden_files import relative_error
from support.harness import to_numpy

from keras_spade import SPADEResBlock
from keras_spade.backends.layers import convolve


def by_hand(x, kernel, bias, stride, dilation, before, after):
    """The sum of products over each window of a map with zeros around it."""
    x = np.pad(x.astype("float64"), [(0, 0), (before, after), (before, after), (0, 0)])
    reach = (kernel.shape[0] - 1) * dilation + 1
    rows, columns = ((size - reach) // stride + 1 for size in x.shape[1:3])
    y = np.empty((len(x), rows, columns, kernel.shape[-1]))
    for i, j in np.ndindex(rows, columns):
        top, left = i * stride, j * stride
        window = x[:, top : top + reach : dilation, left : left + reach : dilation]
        y[:, i, j] = np.einsum("bijc,ijcf->bf", window, kernel) + bias
    return y


@pytest.mark.parametrize("filters", [1, 3])
@pytest.mark.parametrize(
    ("size", "stride", "dilation", "padding", "before", "after"),
    [
        (3, 1, 1, "same", 1, 1),
        (4, 1, 1, "same", 1, 2),
        (3, 2, 1, "same", 0, 1),  # As TensorFlow pads 8 rows.
        (3, 1, 2, "same", 2, 2),
        (1, 1, 1, "valid", 0, 0),
        (4, 2, 1, 2, 2, 2),
    ],
)
def test_convolution_by_hand(filters, size, stride, dilation, padding, before, after):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 8, 8, 2)).astype("float32")
    kernel = rng.normal(size=(size, size, 2, filters)).astype("float32")
    bias = rng.normal(size=filters).astype("float32")
    options = {"strides": stride, "padding": padding, "dilation_rate": dilation}
    y = convolve(*map(ops.convert_to_tensor, (x, kernel, bias)), **options)
    want = by_hand(x, kernel, bias, stride, dilation, before, after)
    assert relative_error(y, want) < 1e-6


def torch_operations(function, *args, **kwargs):
    """Counts the calls of PyTorch's operations, and the numbers that each writes in total."""
    from torch.utils._python_dispatch import TorchDispatchMode

    calls, numbers = collections.Counter(), collections.Counter()

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            result = operation(*args, **(kwargs or {}))
            name = operation.overloadpacket.__name__
            calls[name] += 1
            numbers[name] += getattr(result, "nbytes", 0) // getattr(result, "itemsize", 1)
            return result

    with Counting():
        function(*args, **kwargs)
    return calls, numbers


@only_on("torch", "elsewhere compilers decide what is copied")
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_a_dense_block_copies_kernels_only(dtype):
    block = SPADEResBlock(8, num_classes=5, modulation="dense", hidden_filters=8, dtype=dtype)
    rng = np.random.default_rng(0)
    # Larger than the small maps that use matrix products.
    x = rng.normal(size=(4, 32, 32, 4)).astype("float32")
    x = ops.cast(x, block.compute_dtype)
    labels = ops.convert_to_tensor(rng.integers(0, 5, (4, 32, 32)))
    block(x, labels)
    copies = {"clone", "_to_copy", "copy_", "contiguous"}
    calls, numbers = torch_operations(block, x, labels)
    assert calls["convolution"] == 3 * 3 + 3
    assert sum(numbers[name] for name in copies) < x.shape[0] * 32 * 32 * 4
    # Norm and modulation take one pass each.
    assert calls["addcmul"] == calls["native_batch_norm"] == 3
    assert numbers["mul"] < x.shape[0] * 32 * 32 * 4


@only_on("torch", "Keras' convolution elsewhere is the backend's own")
def test_gradients_of_kernels_lie_as_the_kernels_do():
    import torch

    kernel = keras.Variable(np.random.default_rng(0).normal(size=(3, 3, 4, 6)).astype("float32"))
    x = torch.ones((2, 8, 8, 4), dtype=torch.bfloat16)
    with torch.enable_grad():
        total = convolve(x, kernel, padding="same").float().sum()
    (gradient,) = torch.autograd.grad(total, [kernel.value])
    assert gradient.dtype == torch.float32 and gradient.is_contiguous()
    # An output pixel in the middle sees a one at each tap; at the corners of the map, at 7 x 7.
    want = np.full((3, 3), 2 * 64.0) - 2 * np.array([[15, 8, 15], [8, 0, 8], [15, 8, 15]])
    np.testing.assert_array_equal(to_numpy(gradient)[:, :, 0, 0], want)
