"""Keras' settings that a network depends on."""

import warnings

import keras
from keras import ops

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16", "bfloat16", "float64")
SIXTEEN_BITS = (
    'for 16 bits use keras.config.set_dtype_policy("mixed_bfloat16") (or "mixed_float16"), which '
    "keeps weights and optimizers in float32"
)


def checked_policy(dtype: str | keras.DTypePolicy | None) -> keras.DTypePolicy:
    """Returns the dtype policy of a network, after checking Keras' settings.

    Args:
        dtype: the argument of the network's constructor; `None`: Keras' current policy.

    Returns:
        A dtype policy, one for all layers.

    Raises:
        ValueError: naming the setting or policy, and the remedy.
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            f'keras.config.image_data_format() is "{keras.config.image_data_format()}", but images '
            "in keras_spade are (batch, height, width, channels). Call "
            'keras.config.set_image_data_format("channels_last") before creating networks, and '
            "transpose images whose channels come first."
        )
    if keras.config.floatx() == "float16":
        raise ValueError(
            f'keras.config.floatx() is "{keras.config.floatx()}", too imprecise for learning rates '
            f'and sums of losses. Call keras.config.set_floatx("float32"); {SIXTEEN_BITS}.'
        )
    policy = keras.dtype_policies.get(keras.config.dtype_policy() if dtype is None else dtype)
    if isinstance(policy, keras.dtype_policies.DTypePolicyMap):
        raise ValueError(
            "`dtype` must be one policy for all layers of a network, got a DTypePolicyMap. "
            "Generator, discriminator and encoder may have different ones."
        )
    if policy.name not in POLICIES:
        # Adam's epsilon is 0 in float16.
        way_out = (
            SIXTEEN_BITS
            if policy.name == "float16"
            else "export the model, and quantize the exported model"
        )
        raise ValueError(
            f"`dtype` must be one of the policies {', '.join(POLICIES)}, got {policy.name!r}; "
            f"{way_out}."
        )
    if policy.name == "float64" and not _has_float64():
        raise ValueError(
            '`dtype`: float64 is disabled on this backend, so the policy "float64" fails. On JAX, '
            'call jax.config.update("jax_enable_x64", True) first; or use "float32".'
        )
    return policy


def _has_float64():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # JAX warns and uses float32 instead.
        try:
            return keras.backend.standardize_dtype(ops.zeros((), "float64").dtype) == "float64"
        except (TypeError, ValueError):  # PyTorch raises these for devices without float64.
            return False
