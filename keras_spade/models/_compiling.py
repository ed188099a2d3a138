"""The arguments of `GauGAN.compile`: defaults, checks, and what of them a file can hold."""

import warnings

import keras

from keras_spade.losses import PerceptualLoss
from keras_spade.optimizers import BiasCorrectedAdam


def optimizer(given, learning_rate, network, auto_scale_loss):
    """The optimizer that was given, or the paper's; with loss scaling if the network needs it."""
    chosen = BiasCorrectedAdam(learning_rate) if given is None else keras.optimizers.get(given)
    scales = keras.optimizers.LossScaleOptimizer
    if auto_scale_loss and network.compute_dtype == "float16" and not isinstance(chosen, scales):
        return scales(chosen)
    return chosen


def check_replicas(replicas, **optimizers):
    """Raises for options of Keras' optimizers that come out wrong, or fail, on several replicas."""
    for argument, optimizer in optimizers.items():
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        for option, reason in (
            ("gradient_accumulation_steps", "fails"),
            ("clipnorm", "clips each replica's part of the gradient by itself"),
            ("clipvalue", "clips each replica's part of the gradient by itself"),
            ("global_clipnorm", "clips each replica's part of the gradient by itself"),
        ):
            if replicas > 1 and getattr(optimizer, option, None) is not None:
                raise ValueError(f"`{argument}`: on several replicas, Keras' {option} {reason}.")


def loss_names(gan):
    """The names of the losses that a `GauGAN` computes, as it is compiled."""
    names = ["generator/adversarial"]
    names += ["generator/feature_matching"] if gan.feature_matching_weight else []
    names += ["generator/perceptual"] if gan.perceptual_loss is not None else []
    names += ["generator/kl"] if gan.encoder is not None else []
    return names + ["discriminator/real", "discriminator/fake"]


def perceptual(loss, weight):
    """The perceptual loss that the arguments of `compile` ask for, or `None`."""
    if weight == 0 or not isinstance(loss, str):
        return None if weight == 0 else loss
    if loss != "vgg19":
        raise ValueError(
            '`perceptual_loss` must be "vgg19", a PerceptualLoss, a function or None, got '
            f"{loss!r}."
        )
    return PerceptualLoss()


def check(
    generator_optimizer, discriminator_optimizer, loss, kl_reduction, max_skipped_steps, **weights
):
    """Raises for arguments of `compile` that cannot be."""
    if max_skipped_steps is not None and not max_skipped_steps >= 1:
        raise ValueError(
            f"`max_skipped_steps` must be None or at least 1, got {max_skipped_steps!r}."
        )
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
