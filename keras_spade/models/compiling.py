"""The arguments of `GauGAN.compile`: defaults, checks, and serialization."""

import warnings

import keras

from keras_spade.backends import backend
from keras_spade.losses import AdversarialLoss, PerceptualLoss
from keras_spade.losses.perceptual_network import check_channels
from keras_spade.models.keras_arguments import refuse_of_compile
from keras_spade.optimizers import BiasCorrectedAdam


def optimizers(networks, generator_optimizer, discriminator_optimizer, auto_scale_loss) -> dict:
    """Returns both optimizers by argument name: the given ones, or the paper's.

    Args:
        networks: the `GanNetworks`. The optimizer of one that computes in float16 scales its loss.
        generator_optimizer: as in `compile`.
        discriminator_optimizer: as in `compile`.
        auto_scale_loss: as in `compile`.
    """

    def chosen(given, learning_rate, network):
        optimizer = (
            BiasCorrectedAdam(learning_rate) if given is None else keras.optimizers.get(given)
        )
        scaling = keras.optimizers.LossScaleOptimizer
        scaled = isinstance(optimizer, scaling) or network.compute_dtype != "float16"
        return optimizer if scaled or not auto_scale_loss else scaling(optimizer)

    both = {
        "generator_optimizer": chosen(generator_optimizer, 1e-4, networks.generator),
        "discriminator_optimizer": chosen(discriminator_optimizer, 4e-4, networks.discriminator),
    }
    if both["generator_optimizer"] is both["discriminator_optimizer"]:
        raise ValueError(
            "`generator_optimizer` and `discriminator_optimizer` must be two objects: each keeps "
            "the state of its own variables."
        )
    return both


def build(generator_optimizer, discriminator_optimizer, networks):
    """Builds both optimizers, unless they have state already, for the trainable weights."""
    for optimizer, variables in (
        (generator_optimizer, networks.generator_variables),
        (discriminator_optimizer, networks.discriminator_variables),
    ):
        if not optimizer.built:
            optimizer.build(variables)


def check_replicas(replicas, optimizers):
    """Raises for options of Keras' optimizers that are wrong, or fail, on several replicas."""
    for argument, optimizer in optimizers.items():
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        for option, reason in (
            ("gradient_accumulation_steps", "fails"),
            ("clipnorm", "clips each replica's part of the gradient separately"),
            ("clipvalue", "clips each replica's part of the gradient separately"),
            ("global_clipnorm", "clips each replica's part of the gradient separately"),
        ):
            if replicas > 1 and getattr(optimizer, option, None) is not None:
                raise ValueError(f"`{argument}`: on several replicas, Keras' {option} {reason}.")


def check(others, max_skipped_steps, kl_reduction, **weights):
    """Raises for bad arguments of `compile` that no loss or optimizer checks."""
    refuse_of_compile(others)
    if max_skipped_steps is not None and not max_skipped_steps >= 1:
        raise ValueError(
            f"`max_skipped_steps` must be None or at least 1, got {max_skipped_steps!r}."
        )
    if kl_reduction not in ("sum", "mean"):
        raise ValueError(f'`kl_reduction` must be "sum" or "mean", got {kl_reduction!r}.')
    for name, weight in weights.items():
        if not weight >= 0:
            raise ValueError(f"`{name}` must not be negative, got {weight!r}.")


def adversarial(loss):
    """The adversarial loss for the argument of `compile`."""
    if not (isinstance(loss, str) or callable(loss)):
        raise ValueError(f"`adversarial_loss` must be a kind or a loss, got {loss!r}.")
    return AdversarialLoss(loss) if isinstance(loss, str) else loss


def learning_rates(generator_optimizer, discriminator_optimizer):
    """The current learning rates of both."""
    optimizers = generator_optimizer, discriminator_optimizer
    return tuple(float(keras.ops.convert_to_numpy(o.learning_rate)) for o in optimizers)


def check_variables(gan, optimizers):
    """Raises for networks and optimizers whose variables the backend cannot train together."""
    backend.check_variables(
        gan,
        generator=gan.generator.variables,
        discriminator=gan.discriminator.variables,
        encoder=[] if gan.encoder is None else gan.encoder.variables,
        **{argument: optimizer.variables for argument, optimizer in optimizers.items()},
    )


def perceptual(loss, weight, image_shape):
    """The perceptual loss for the arguments of `compile`, or `None`."""
    if weight != 0 and isinstance(loss, (str, PerceptualLoss)):
        check_channels(getattr(loss, "network", loss), image_shape[-1])
    if weight == 0 or not isinstance(loss, str):
        return None if weight == 0 else loss
    if loss != "vgg19":
        raise ValueError(
            '`perceptual_loss` must be "vgg19", a PerceptualLoss, a function or None, got '
            f"{loss!r}."
        )
    return PerceptualLoss()


def savable(perceptual_loss):
    """The perceptual loss if a file can hold it; otherwise warns, so that saving does not fail."""
    if not isinstance(perceptual_loss, PerceptualLoss) or perceptual_loss.comes_from_a_file:
        name = getattr(perceptual_loss, "__name__", "")
        if name != "<lambda>":
            return perceptual_loss
    warnings.warn(
        "The perceptual loss is not saved with the model: it is a lambda, or its weights are not "
        "from a file. Call `compile` again after loading.",
        stacklevel=2,
    )
    return None
