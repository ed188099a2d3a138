"""The maps by which SPADE modulates."""

import dataclasses
from collections.abc import Sequence

import keras
from keras import ops

from keras_spade.backends.layers import again_for_the_gradient, convolve
from keras_spade.segmaps.pattern_convolution import convolve_labels, gather_windows
from keras_spade.tensor import Tensor


@dataclasses.dataclass(frozen=True, eq=False)
class GammaAndBeta:
    """`1 + gamma(m)` and `beta(m)` as a function of a `Segmap`.

    `gamma(m) = conv(relu(conv(m)))`; `beta` likewise, sharing the first convolution.

    Args:
        shared: a `keras.layers.Conv2D` with "same" padding, followed by ReLU.
        gamma: a second one of the same kernel size, applied to the result of `shared`.
        beta: a third one, like `gamma`.
        training: whether the result is differentiated. If so, the windows of the second convolution
            are gathered again for the gradient instead of stored.
    """

    shared: keras.layers.Conv2D
    gamma: keras.layers.Conv2D
    beta: keras.layers.Conv2D
    training: bool = False

    def of_map(self, segmap: Tensor) -> list[Tensor]:
        """See `Segmap`."""
        hidden = convolve(segmap, self.shared.kernel, self.shared.bias, padding="same")
        hidden = ops.relu(hidden)
        gamma = convolve(hidden, self.gamma.kernel, 1.0 + self.gamma.bias, padding="same")
        return [gamma, convolve(hidden, self.beta.kernel, self.beta.bias, padding="same")]

    def of_patterns(self, pixels: Tensor, members: Sequence[Tensor]) -> list[Tensor]:
        """See `Segmap`."""
        hidden = convolve_labels(ops.convert_to_tensor(self.shared.kernel), pixels, members[0])
        hidden = ops.relu(hidden + self.shared.bias)

        def multiply(rows, *kernels):
            rows = gather_windows(rows, members[1])
            return [ops.matmul(rows, kernel) for kernel in kernels]

        shape = (members[1].shape[-1] * self.shared.filters, -1)
        kernels = [ops.reshape(conv.kernel, shape) for conv in (self.gamma, self.beta)]
        if self.training:
            multiply = again_for_the_gradient(multiply, hidden, *kernels)
        gamma, beta = multiply(hidden, *kernels)
        return [gamma + (1.0 + self.gamma.bias), beta + self.beta.bias]
