"""Operations of layers on PyTorch, with few calls and few passes over the activations.

Keras' convolution copies activations twice on PyTorch: to channels first, and back to channels
last. A map `(batch, H, W, channels)` viewed as `(batch, channels, H, W)` has the layout that
PyTorch calls channels last; its kernels for that layout need no copy.
"""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from keras_spade.tensor import Tensor


def convolve(
    x: torch.Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: int | tuple[int, int],
    padding: str | int,
    dilation_rate: int | tuple[int, int],
) -> torch.Tensor:
    """See `keras_spade.backends.layers.convolve`."""
    x, padding = _padded(x, kernel.shape[:2], strides, padding, dilation_rate)
    options = {"stride": strides, "padding": padding, "dilation": dilation_rate}
    if torch.is_grad_enabled() and kernel.requires_grad:
        kernel = _Layout.apply(kernel, x.dtype)
    else:
        kernel = _to_layout(kernel, x.dtype)
    bias = None if bias is None else bias.to(x.dtype)[:, None, None]
    if len(kernel) > 1 or x.device.type != "cpu":
        y = functional.conv2d(_channels_first(x), kernel, **options)
        # In place, since `y` is used nowhere else; the same on all devices.
        y = y if bias is None else y.add_(bias)
    else:
        # PyTorch's plain convolution on a CPU, used for float64 and for single samples, fails in
        # the gradient of a kernel with one filter. So append a second filter of zeros.
        kernel = torch.cat([kernel, torch.zeros_like(kernel)])
        y = functional.conv2d(_channels_first(x), kernel, **options)[:, :1]
        y = y if bias is None else y + bias
    return y.permute(0, 2, 3, 1)


def _to_layout(kernel, dtype):
    """Converts a kernel to PyTorch's layout and to a dtype in one pass."""
    return kernel.permute(3, 2, 0, 1).to(dtype, memory_format=torch.channels_last)


class _Layout(torch.autograd.Function):
    """`_to_layout` with a gradient in the layout and dtype of the variable.

    So the optimizer, and all operations between variable and kernel, access memory in order.
    """

    @staticmethod
    def forward(ctx, kernel, dtype):
        ctx.dtype = kernel.dtype
        return _to_layout(kernel, dtype)

    @staticmethod
    def backward(ctx, upstream):
        layout = {"dtype": ctx.dtype, "memory_format": torch.contiguous_format}
        return upstream.permute(2, 3, 1, 0).to(**layout), None


def _padded(x, size, strides, padding, dilation_rate):
    """The input, padded if necessary, and the padding that is left to the convolution."""
    if padding != "same":
        return x, 0 if padding == "valid" else padding
    strides, dilation_rate = (
        (value, value) if isinstance(value, int) else value for value in (strides, dilation_rate)
    )
    # As in TensorFlow: an odd zero goes to the end.
    totals = [
        max((kernel - 1) * dilation + 1 - (length % stride or stride), 0)
        for kernel, dilation, length, stride in zip(
            size, dilation_rate, x.shape[1:3], strides, strict=True
        )
    ]
    if not any(total % 2 for total in totals):
        return x, [total // 2 for total in totals]
    (height, width), (top, left) = totals, [total // 2 for total in totals]
    return functional.pad(x, (0, 0, left, width - left, top, height - top)), 0


def normalize_by(x: torch.Tensor, mean: Tensor, variance: Tensor, epsilon: float) -> torch.Tensor:
    """`(x - mean) / sqrt(variance + epsilon)`, in the dtype of `x`, in one pass."""
    y = functional.batch_norm(_channels_first(x), mean, variance, eps=epsilon)
    return y.permute(0, 2, 3, 1)


def normalize_batch(
    x: torch.Tensor, epsilon: float, dtype: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Normalises activations by their own moments over all axes but the last.

    Args:
        x: `(batch, h, w, channels)`.
        epsilon: added to the variance.
        dtype: name of the dtype of the moments.

    Returns:
        The normalised activations in the dtype of `x`, their mean, and their unbiased variance.
    """
    if x.device.type != "cuda":
        # On a CPU, PyTorch's batch norm sums a map sequentially, with too much rounding.
        y, mean, variance = _Normalize.apply(x, (0, 1, 2), epsilon)
        count = x.numel() // x.shape[-1]
        return y, mean.flatten(), variance.flatten() * (count / (count - 1))
    # With a momentum of 1, the running statistics become those of the batch.
    mean, variance = (
        torch.zeros(x.shape[-1], dtype=getattr(torch, dtype), device=x.device) for _ in range(2)
    )
    y = torch.batch_norm(_channels_first(x), None, None, mean, variance, True, 1.0, epsilon, True)
    return y.permute(0, 2, 3, 1), mean, variance


def normalize_instance(x: torch.Tensor, epsilon: float) -> torch.Tensor:
    """Normalises activations by their own moments over height and width, in the dtype of `x`."""
    return _Normalize.apply(x, (1, 2), epsilon)[0]


class _Normalize(torch.autograd.Function):
    """Normalises activations; returns them with their mean and biased variance.

    The gradient needs the result but not the activations. PyTorch's instance norm expects channels
    first, and would copy.
    """

    @staticmethod
    def forward(ctx, x, axes, epsilon):
        wide = x.float() if x.dtype.itemsize < 4 else x
        mean = wide.mean(axes, keepdim=True)
        centered = wide - mean
        variance = centered.square().mean(axes, keepdim=True)
        scale = (variance + epsilon).rsqrt_()
        y = centered.mul_(scale).to(x.dtype)
        ctx.axes = axes
        ctx.save_for_backward(y, scale)
        ctx.mark_non_differentiable(mean, variance)
        return y, mean, variance

    @staticmethod
    @once_differentiable  # `scale` was computed out of sight of autograd.
    def backward(ctx, upstream, *_):
        y, scale = ctx.saved_tensors
        g, y = upstream.to(scale.dtype), y.to(scale.dtype)
        along = (g * y).mean(ctx.axes, keepdim=True).mul_(scale).neg_()
        level = g.mean(ctx.axes, keepdim=True).mul_(scale).neg_()
        total = torch.addcmul(level, g, scale).addcmul_(y, along)
        return total.to(upstream.dtype), None, None


def one_hot(labels: Tensor, edges: Tensor | None, num_classes: int, dtype: str) -> torch.Tensor:
    """See `keras_spade.segmaps.conditioning_map.one_hot_map`; writes the map once, in its dtype."""
    channels = num_classes + (edges is not None)
    size, dtype = (*labels.shape, channels), getattr(torch, dtype)
    encoded = torch.empty(size, dtype=dtype, device=labels.device)
    classes = torch.arange(num_classes, device=labels.device)
    torch.eq(labels.unsqueeze(-1), classes, out=encoded[..., :num_classes])
    if edges is not None:
        torch.ne(edges, 0, out=encoded[..., -1])
    return encoded


def half_pool(x: torch.Tensor) -> torch.Tensor:
    """See `keras_spade.segmaps.half_pool`."""
    y = functional.avg_pool2d(_channels_first(x), 3, 2, 1, count_include_pad=False)
    return y.permute(0, 2, 3, 1)


def _channels_first(x):
    return x.permute(0, 3, 1, 2)
