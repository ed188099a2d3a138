"""Spectral normalisation that keeps the kernel and differentiates through sigma."""

import math
from typing import Any

import keras
from keras import ops

from keras_spade.arguments import positive_integer
from keras_spade.backends.layers import convolves_itself
from keras_spade.layers.conv2d import Conv2D
from keras_spade.layers.small_map_conv2d import SmallMapConv2D
from keras_spade.precision import full_precision, full_precision_dtype
from keras_spade.tensor import Tensor

INITIAL_ITERATIONS = 15
# Layers whose only operation on their inputs is the product with the kernel.
LINEAR = (
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Dense,
    Conv2D,
    SmallMapConv2D,
)
CONVOLUTIONS = (Conv2D, SmallMapConv2D)


@keras.saving.register_keras_serializable(package="keras_spade")
class SpectralNorm(keras.layers.Wrapper):
    """Runs a layer with its kernel divided by (an estimate of) its largest singular value.

    The kernel `W`, reshaped to a matrix with one row per output, is used as `W / sigma` with
    `sigma = u^T W v`. Every training call first makes one power iteration,
    `v = normalize(W^T u)`, `u = normalize(W v)`; inference uses the stored `u` and `v` and changes
    nothing, and so does training while the layer or its kernel is frozen (`trainable = False`). The
    gradient treats `u` and `v` as constants, but not `sigma`; the raw kernel stays the trained
    weight. (`keras.layers.SpectralNormalization` overwrites the kernel with `W / sigma`, and no
    gradient flows through `sigma`.) Equivalent to `torch.nn.utils.spectral_norm`.

    Args:
        layer: the layer to wrap; it must have a `kernel` (`Conv1D`..`Conv3D`, their transposes,
            `Dense`, ...) or `embeddings` (`Embedding`).
        power_iterations: iterations per training call.
        epsilon: lower bound of the norms in denominators.
        **kwargs: `name` and `trainable`; the dtype policy is the wrapped layer's.

    Call arguments:
        inputs: the wrapped layer's inputs.
        training: whether `u` and `v` make a power iteration.

    Returns:
        The wrapped layer's output.

    Raises:
        ValueError: if the layer has no kernel, or `power_iterations` is below 1.

    Example:

    >>> import keras, numpy as np
    >>> from keras_spade import SpectralNorm
    >>> layer = SpectralNorm(keras.layers.Dense(3))
    >>> layer(np.random.rand(2, 4).astype("float32"), training=True).shape[-1]
    3

    Reference: Miyato et al. 2018 (arXiv 1802.05957), algorithm 1; Park et al. 2019, section 3.
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        power_iterations: int = 1,
        epsilon: float = 1e-12,
        **kwargs: Any,
    ):
        # No autocast, so that sigma is computed from the full-precision kernel even if the layer
        # computes in 16 bits; the layer casts its inputs and its kernel itself.
        kwargs["dtype"] = getattr(layer, "variable_dtype", None)
        super().__init__(layer, autocast=False, **kwargs)
        if not self.trainable:
            layer.trainable = False
        if isinstance(layer, (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)):
            raise ValueError(
                "SpectralNorm: `layer` must not be depthwise: its kernel is not a matrix."
            )
        self.power_iterations = positive_integer("`power_iterations`", power_iterations)
        self.epsilon = epsilon

    def build(self, input_shape):
        """Builds the wrapped layer, and the vectors `u` and `v`."""
        super().build(input_shape)
        shape = self.kernel.shape
        outputs = shape[self._output_axis]
        self.u = self._vector("u", outputs, self._initial_u)
        self.v = self._vector("v", math.prod(shape) // outputs, self._initial_v)

    def _vector(self, name, size, initializer):
        return self.add_weight(
            name=name,
            shape=(size,),
            initializer=initializer,
            trainable=False,
            autocast=False,
            dtype=full_precision_dtype(self.variable_dtype),
            aggregation="only_first_replica",
        )

    def _initial_u(self, shape, dtype=None):
        # Some iterations from a random start: a new layer's sigma is close to its kernel's norm, so
        # that inference works before any training call.
        u = keras.initializers.RandomNormal(stddev=1.0)(shape, dtype=dtype)
        for _ in range(INITIAL_ITERATIONS):
            u, _ = self._power_iteration(self._matrix(), u)
        return u

    def _initial_v(self, shape, dtype=None):
        return self._normalize(ops.matmul(self._matrix(), ops.convert_to_tensor(self.u)))

    @property
    def kernel(self) -> keras.Variable:
        """The raw kernel (a `keras.Variable`), which the optimizer trains."""
        for name in ("kernel", "embeddings"):
            variable = getattr(self.layer, name, None)
            if isinstance(variable, keras.Variable) and len(variable.shape) >= 2:
                return variable
        raise ValueError(
            f"SpectralNorm: `layer` must have a kernel or embeddings of rank 2 or more; "
            f"{self.layer.__class__.__name__} {self.layer.name!r} has none."
        )

    @property
    def _output_axis(self):
        # Transposed convolutions keep (..., outputs, inputs), all other layers outputs last.
        transposed = (
            keras.layers.Conv1DTranspose,
            keras.layers.Conv2DTranspose,
            keras.layers.Conv3DTranspose,
        )
        return -2 if isinstance(self.layer, transposed) else -1

    def _matrix(self):
        kernel = full_precision(self.kernel)
        if self._output_axis == -2:
            kernel = ops.swapaxes(kernel, -1, -2)
        return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def normalized_kernel(self, training: bool = False) -> Tensor:
        """`W / sigma`, after a power iteration if `training`.

        Args:
            training: whether to update `u` and `v` first.

        Returns:
            A tensor of the kernel's shape.
        """
        return full_precision(self.kernel) / self._sigma(training)

    def _sigma(self, training):
        matrix = self._matrix()
        u, v = ops.convert_to_tensor(self.u), ops.convert_to_tensor(self.v)
        if not (training and self.trainable and self.layer.trainable and self.kernel.trainable):
            return ops.sum(ops.matmul(v, matrix) * u)
        constant = ops.stop_gradient(matrix)
        for _ in range(self.power_iterations - 1):
            u, _ = self._power_iteration(constant, u)
        # The last iteration, whose second product is also the first half of sigma.
        v = self._normalize(ops.matmul(constant, u))
        product = ops.matmul(v, matrix)
        u = self._normalize(ops.stop_gradient(product))
        self.u.assign(u)
        self.v.assign(v)
        return ops.sum(product * u)

    def _scales_inputs(self, inputs):
        """Whether dividing the inputs by sigma equals dividing the kernel, and is cheaper."""
        if type(self.layer) not in LINEAR or None in inputs.shape[1:]:
            return False
        return math.prod(inputs.shape[1:]) < math.prod(self.kernel.shape)

    def _power_iteration(self, matrix, u):
        v = self._normalize(ops.matmul(matrix, u))
        return self._normalize(ops.matmul(v, matrix)), v

    def _normalize(self, vector):
        return vector / ops.maximum(ops.sqrt(ops.sum(ops.square(vector))), self.epsilon)

    def call(self, inputs, training=False):
        """Runs the wrapped layer with the normalised kernel instead of the raw one."""
        kernel = self.kernel
        sigma = self._sigma(training)
        direct = type(self.layer) in CONVOLUTIONS and convolves_itself(self.layer)
        if self._scales_inputs(inputs):
            inputs = full_precision(inputs) / sigma
            return self._convolve(inputs, kernel) if direct else self.layer(inputs)
        normalized = full_precision(kernel) / sigma
        if direct:
            return self._convolve(inputs, normalized)
        # Inside the scope, the layer reads these values from its variables; nothing is assigned.
        values = [(variable, variable.value) for variable in self.layer.variables]
        values = [(k, normalized if k is kernel else v) for k, v in values]
        with keras.StatelessScope(state_mapping=values):
            return self.layer(inputs)

    def _convolve(self, inputs, kernel):
        """Runs a convolution layer with a given kernel, without the overhead of calling it."""
        dtype = self.layer.compute_dtype
        bias = ops.cast(self.layer.bias, dtype) if self.layer.use_bias else None
        y = self.layer.convolution_op(ops.cast(inputs, dtype), kernel, bias)
        return self.layer.activation(y)

    def compute_output_spec(self, inputs, training=False):
        """The output of the wrapped layer."""
        return self.layer.compute_output_spec(inputs)

    def compute_output_shape(self, input_shape):
        """The output shape of the wrapped layer."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "power_iterations": self.power_iterations,
            "epsilon": self.epsilon,
        }
