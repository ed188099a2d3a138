"""Adam in one pass over the weights, on backends that provide it."""

from collections.abc import Callable, Sequence

import keras
from keras import ops

from keras_spade.tensor import Tensor


def move_all(
    optimizer: keras.optimizers.Adam,
    gradients: Sequence[Tensor],
    variables: Sequence[keras.Variable],
    slots: Callable[[keras.Variable], Sequence[keras.Variable]],
    learning_rate: Tensor,
) -> Sequence[int]:
    """Updates variables with PyTorch's fused Adam, in one pass over the weights instead of twelve.

    Args:
        optimizer: a `BiasCorrectedAdam`.
        gradients: the gradients of `variables`.
        variables: Keras variables.
        slots: a function from a variable to its running means of gradients and squared gradients.
        learning_rate: the learning rate of this step.

    Returns:
        The indices of the variables that were not updated.
    """
    everything = range(len(variables))
    if keras.backend.backend() != "torch":
        return everything
    import torch
    from torch.optim.adam import adam

    fused, left = [], []
    for number in everything:
        state = [x.value for x in (variables[number], *slots(variables[number]))]
        # The fused kernel reads the memory of all four from start to end.
        straight = all(x.is_contiguous() for x in state)
        if straight and state[0].device.type in ("cpu", "cuda"):
            fused.append((gradients[number].to(state[0].dtype).contiguous(), *state))
        else:
            left.append(number)
    if fused:
        gradients, weights, m, v = map(list, zip(*fused, strict=True))
        # The rate and the step count stay on the device, which reads both as float32.
        rate = ops.convert_to_tensor(learning_rate)
        rate = rate.float() if weights[0].device.type == "cuda" else rate
        steps = ops.convert_to_tensor(optimizer.iterations).float().repeat(len(weights))
        with torch.no_grad():
            adam(
                weights,
                gradients,
                m,
                v,
                [],
                list(steps.unbind()),
                fused=True,
                amsgrad=False,
                beta1=optimizer.beta_1,
                beta2=optimizer.beta_2,
                lr=rate,
                weight_decay=0.0,
                eps=optimizer.epsilon,
                maximize=False,
            )
    return left


def move_one(
    optimizer: keras.optimizers.Adam,
    gradient: Tensor,
    variables: Sequence[Tensor],
    rate: Tensor,
    corrections: Sequence[Tensor],
) -> bool:
    """Updates a variable with TensorFlow's fused Adam, in one pass instead of twelve.

    Args:
        optimizer: a `BiasCorrectedAdam`.
        gradient: the gradient of the variable.
        variables: the variable and its running means of gradients and squared gradients.
        rate: learning rate, in the variable's dtype.
        corrections: the bias corrections of the two means.

    Returns:
        Whether the variable was updated.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    variable, m, v = ((x.value if isinstance(x, keras.Variable) else x).handle for x in variables)
    dtype = rate.dtype
    # TensorFlow adds epsilon before it corrects the bias of v.
    tf.raw_ops.ResourceApplyAdam(
        var=variable,
        m=m,
        v=v,
        beta1_power=1 - corrections[0],
        beta2_power=1 - corrections[1],
        lr=rate,
        beta1=ops.cast(optimizer.beta_1, dtype),
        beta2=ops.cast(optimizer.beta_2, dtype),
        epsilon=ops.cast(optimizer.epsilon, dtype) * ops.sqrt(corrections[1]),
        grad=tf.convert_to_tensor(gradient),
    )
    return True
