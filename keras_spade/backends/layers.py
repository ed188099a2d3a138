"""Operations of layers whose implementation differs between backends."""

from collections.abc import Callable

import keras
from keras import ops

from keras_spade.tensor import Tensor


def leaky_relu(x: Tensor, slope: float) -> Tensor:
    """A leaky ReLU whose gradient needs only the result, not `x`, except on PyTorch.

    There, a custom gradient would keep `x` too, and needs additional calls.

    Args:
        x: a float tensor.
        slope: the slope below zero.

    Returns:
        A tensor of the same shape as `x`.
    """
    if _on_torch():
        return ops.leaky_relu(x, slope)

    @ops.custom_gradient
    def activate(x):
        y = ops.leaky_relu(x, slope)

        def gradients(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return _leaky_relu_gradient(upstream, y, slope)

        return y, gradients

    return activate(x)


def _leaky_relu_gradient(upstream, y, slope):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # One pass, no intermediate tensors.
        return tf.raw_ops.LeakyReluGrad(gradients=upstream, features=y, alpha=slope)
    return ops.where(y > 0, upstream, slope * upstream)


def convolve(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None = None,
    strides: int | tuple[int, int] = 1,
    padding: str | int = "valid",
    dilation_rate: int | tuple[int, int] = 1,
) -> Tensor:
    """A convolution, without the copies that Keras makes on PyTorch.

    Args:
        x: `(batch, H, W, channels)`.
        kernel: `(rows, columns, channels, filters)`; on PyTorch cast to the dtype of `x`.
        bias: `(filters,)`, or `None`.
        strides: one int or two.
        padding: `"valid"`, `"same"`, or the number of zeros on each side, an int.
        dilation_rate: one int or two.

    Returns:
        `(batch, h, w, filters)`.
    """
    if _on_torch():
        from keras_spade.backends import torch_layers

        x, kernel = ops.convert_to_tensor(x), ops.convert_to_tensor(kernel)
        bias = None if bias is None else ops.convert_to_tensor(bias)
        return torch_layers.convolve(x, kernel, bias, strides, padding, dilation_rate)
    if padding not in ("same", "valid"):
        x = ops.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
        padding = "valid"
    y = ops.conv(
        x,
        kernel,
        strides=strides,
        padding=padding,
        dilation_rate=dilation_rate,
        data_format="channels_last",
    )
    return y if bias is None else y + bias


def convolves_itself(layer: keras.layers.Conv2D) -> bool:
    """Whether a layer should call `convolve` instead of its own convolution.

    Args:
        layer: a `keras.layers.Conv2D`.
    """
    return _on_torch() and layer.data_format == "channels_last" and layer.groups == 1


def multiplies_small_maps(x: Tensor) -> bool:
    """Whether unfolding windows and a matrix product may be faster than a convolution.

    Args:
        x: the input of the convolution.
    """
    return not _on_torch() or x.device.type == "cpu"


def again_for_the_gradient(function: Callable, *tensors: Tensor) -> Callable:
    """`keras.remat(function)` if there will be a gradient, else the function itself.

    On PyTorch, `remat` saves the state of the random number generator at each call.
    """
    if _on_torch():
        import torch

        if not torch.is_grad_enabled() or not any(x.requires_grad for x in tensors):
            return function
    return keras.remat(function)


def batch_normalized(x: Tensor, epsilon: float, dtype: str) -> tuple[Tensor, Tensor, Tensor] | None:
    """Normalises activations by their own moments over the batch, in fewer passes.

    Args:
        x: `(batch, h, w, channels)`.
        epsilon: added to the variance.
        dtype: dtype of the moments.

    Returns:
        The normalised activations, and mean and unbiased variance per channel; `None` where there
        is no faster way.
    """
    if not _on_torch() or x.shape[0] * x.shape[1] * x.shape[2] < 2:
        return None
    from keras_spade.backends import torch_layers

    return torch_layers.normalize_batch(ops.convert_to_tensor(x), epsilon, dtype)


def normalized_by(x: Tensor, mean: Tensor, variance: Tensor, epsilon: float) -> Tensor | None:
    """The activations normalised by given moments; or `None`, as `batch_normalized`."""
    if not _on_torch():
        return None
    from keras_spade.backends import torch_layers

    mean, variance = ops.convert_to_tensor(mean), ops.convert_to_tensor(variance)
    return torch_layers.normalize_by(ops.convert_to_tensor(x), mean, variance, epsilon)


def instance_normalized(x: Tensor, epsilon: float) -> Tensor | None:
    """The activations normalised by the moments of each image; or `None`."""
    if not _on_torch():
        return None
    from keras_spade.backends import torch_layers

    return torch_layers.normalize_instance(ops.convert_to_tensor(x), epsilon)


def multiply_and_add(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    """`x * gain + bias`, in one pass if the backend supports it."""
    if not _on_torch():
        return x * gain + bias
    import torch

    return torch.addcmul(bias, x, gain)


def _on_torch():
    return keras.backend.backend() == "torch"
