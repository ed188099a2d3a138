"""The arguments of `GauGAN.compile`: defaults, checks, and what of them a file can hold."""

import warnings

import keras

from keras_spade.losses import PerceptualLoss
from keras_spade.optimizers import BiasCorrectedAdam


def optimizer(given, learning_rate):
    """The optimizer that was given, or the paper's."""
    if given is None:
        return BiasCorrectedAdam(learning_rate)
    return keras.optimizers.get(given)


def check(generator_optimizer, discriminator_optimizer, loss, kl_reduction, **weights):
    """Raises for arguments of `compile` that cannot be."""
    if generator_optimizer is discriminator_optimizer:
        raise ValueError(
            "`generator_optimizer` and `discriminator_optimizer` must be two objects: each keeps "
            "the state of its own variables."
        )
    if not (isinstance(loss, str) or callable(loss)):
        raise ValueError(f"`adversarial_loss` must be a kind or a loss, got {loss!r}.")
    if kl_reduction not in ("sum", "mean"):
        raise ValueError(f'`kl_reduction` must be "sum" or "mean", got {kl_reduction!r}.')
    for name, weight in weights.items():
        if not weight >= 0:
            raise ValueError(f"`{name}` must not be negative, got {weight!r}.")


def savable(perceptual_loss):
    """The perceptual loss if a file can hold it; else a warning: a save must not fail for it."""
    if not isinstance(perceptual_loss, PerceptualLoss) or perceptual_loss.comes_from_a_file:
        name = getattr(perceptual_loss, "__name__", "")
        if name != "<lambda>":
            return perceptual_loss
    warnings.warn(
        "The perceptual loss is not saved with the model: it is a lambda, or its weights come from "
        "no file. Call `compile` again after loading.",
        stacklevel=2,
    )
    return None
