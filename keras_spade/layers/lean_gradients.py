"""Operations that keep less in memory than automatic differentiation and scheduling would."""

import keras
from keras import ops


def after(x, ids):
    """The same integers, but not before `x` is known.

    What depends on labels alone could run at any time, and TensorFlow would make the maps of all
    layers first and hold them until they are needed.

    Args:
        x: a float tensor.
        ids: an integer tensor.

    Returns:
        `ids`.
    """
    zero = ops.cast(ops.reshape(x, (-1,))[0] > float("inf"), ids.dtype)  # Which nobody can foresee.
    return ids + zero


def pick_and_modulate(x, gain, bias, index):
    """`x * gain[index] + bias[index]`; the gradient picks again rather than keep what was picked.

    Args:
        x: activations, `(batch, h, w, channels)`.
        gain: `(rows, channels)`.
        bias: `(rows, channels)`.
        index: int32 `(batch, h, w)`, the row of each pixel.

    Returns:
        The shape of `x`.
    """

    @ops.custom_gradient
    def modulate(x, gain, bias):
        y = x * ops.take(gain, index, axis=0) + ops.take(bias, index, axis=0)

        def gradients(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            count, channels = ops.shape(gain)
            later = after(upstream, index)

            def sum_by_row(values):
                pixels = ops.reshape(later, (-1,))
                return ops.segment_sum(ops.reshape(values, (-1, channels)), pixels, count)

            for_gain = sum_by_row(upstream * x)
            # One after the other: each needs a tensor of the size of `x`.
            picked = ops.take(gain, after(for_gain, later), axis=0)
            return upstream * picked, for_gain, sum_by_row(upstream)

        return y, gradients

    return modulate(x, gain, bias)


def leaky_relu(x):
    """Leaky ReLU of slope 0.2; the gradient needs the result only, not `x`.

    Args:
        x: a float tensor.

    Returns:
        The shape of `x`.
    """

    @ops.custom_gradient
    def activate(x):
        y = ops.leaky_relu(x, 0.2)

        def gradients(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            if keras.backend.backend() == "tensorflow":
                import tensorflow as tf

                # In one pass and without intermediate tensors.
                return tf.raw_ops.LeakyReluGrad(gradients=upstream, features=y, alpha=0.2)
            return ops.where(y > 0, upstream, 0.2 * upstream)

        return y, gradients

    return activate(x)
