"""The arguments of `GauGAN.compile`: defaults, checks, and serialization."""

import dataclasses
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import keras

from keras_spade.arguments import positive_integer
from keras_spade.backends import backend
from keras_spade.losses import AdversarialLoss, PerceptualLoss
from keras_spade.losses.perceptual_network import check_channels
from keras_spade.models.gan_networks import GanNetworks
from keras_spade.models.keras_arguments import refuse_of_compile
from keras_spade.optimizers import BiasCorrectedAdam

if TYPE_CHECKING:
    from keras_spade.models.gaugan import GauGAN


def optimizers(
    networks: GanNetworks,
    generator_optimizer: keras.optimizers.Optimizer | str | None,
    discriminator_optimizer: keras.optimizers.Optimizer | str | None,
    auto_scale_loss: bool,
) -> dict:
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


def build(
    generator_optimizer: keras.optimizers.Optimizer,
    discriminator_optimizer: keras.optimizers.Optimizer,
    networks: "GauGAN",
) -> None:
    """Builds both optimizers, unless they have state already, for the trainable weights."""
    for optimizer, variables in (
        (generator_optimizer, networks.generator_variables),
        (discriminator_optimizer, networks.discriminator_variables),
    ):
        if not optimizer.built:
            optimizer.build(variables)


def check_replicas(replicas: int, optimizers: dict[str, keras.optimizers.Optimizer]) -> None:
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


def check(
    others: dict, max_skipped_steps: int | None, kl_reduction: str, **weights: float | None
) -> None:
    """Raises for bad arguments of `compile` that no loss or optimizer checks."""
    refuse_of_compile(others)
    if max_skipped_steps is not None:
        positive_integer("`max_skipped_steps`", max_skipped_steps, "None or a positive integer")
    if kl_reduction not in ("sum", "mean"):
        raise ValueError(f'`kl_reduction` must be "sum" or "mean", got {kl_reduction!r}.')
    for name, weight in weights.items():
        if weight is None and name == "perceptual_weight":
            continue
        if not weight >= 0:
            raise ValueError(f"`{name}` must not be negative, got {weight!r}.")


def adversarial(loss: str | Callable) -> Callable:
    """The adversarial loss for the argument of `compile`."""
    if not (isinstance(loss, str) or callable(loss)):
        raise ValueError(f"`adversarial_loss` must be a kind or a loss, got {loss!r}.")
    return AdversarialLoss(loss) if isinstance(loss, str) else loss


def learning_rates(
    generator_optimizer: keras.optimizers.Optimizer,
    discriminator_optimizer: keras.optimizers.Optimizer,
) -> tuple[float, float]:
    """The current learning rates of both."""
    optimizers = generator_optimizer, discriminator_optimizer
    return tuple(float(keras.ops.convert_to_numpy(o.learning_rate)) for o in optimizers)


def check_variables(gan: "GauGAN", optimizers: dict[str, keras.optimizers.Optimizer]) -> None:
    """Raises for networks and optimizers whose variables the backend cannot train together."""
    backend.check_variables(
        gan,
        generator=gan.generator.variables,
        discriminator=gan.discriminator.variables,
        encoder=[] if gan.encoder is None else gan.encoder.variables,
        **{argument: optimizer.variables for argument, optimizer in optimizers.items()},
    )


def perceptual(loss: str | Callable | None, weight: float | None, image_shape: tuple) -> dict:
    """The perceptual loss, or `None`, and its factor, for the arguments of `compile`."""
    if weight != 0 and isinstance(loss, (str, PerceptualLoss)):
        check_channels(getattr(loss, "network", loss), image_shape[-1])
    if weight == 0:
        loss = None
    elif isinstance(loss, str):
        if loss != "vgg19":
            raise ValueError(
                '`perceptual_loss` must be "vgg19", a PerceptualLoss, a function or None, got '
                f"{loss!r}."
            )
        loss = PerceptualLoss()
    if weight is None:
        weight = getattr(loss, "paper_weight", 10.0)
    return {"perceptual_loss": loss, "perceptual_weight": weight}


def savable(perceptual_loss: Callable | None) -> Callable | None:
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


def config(gan: "GauGAN") -> dict:
    """The arguments of `compile` of a GAN, and the initial learning rates of training."""
    arguments = {
        "generator_optimizer": gan.generator_optimizer,
        "discriminator_optimizer": gan.discriminator_optimizer,
        "max_skipped_steps": gan.max_skipped_steps,
        "auto_scale_loss": gan.auto_scale_loss,
        "run_eagerly": gan.run_eagerly,
        "jit_compile": gan.given_jit_compile,  # Backends treat "auto" differently.
        "steps_per_execution": gan.steps_per_execution,
    }
    losses = {f.name: getattr(gan.objective, f.name) for f in dataclasses.fields(gan.objective)}
    del losses["networks"]
    losses["perceptual_loss"] = savable(losses["perceptual_loss"])
    arguments |= losses
    found = {k: keras.saving.serialize_keras_object(v) for k, v in arguments.items()}
    if not optimizers_fit(gan):  # Their state belongs to the weights trainable at that time.
        places = {id(weight): place for place, weight in enumerate(gan.weights)}
        found["optimized_weights"] = {
            argument: [places[id(v)] for v in optimizer._trainable_variables]
            for argument, optimizer, _ in _sides(gan)
        }
    return found | {"initial_learning_rates": list(gan.initial_learning_rates)}


def compile_from_config(gan: "GauGAN", config: dict) -> None:
    """Compiles a GAN from the result of `config`, with built optimizers."""
    config = dict(config)
    rates = config.pop("initial_learning_rates")
    optimized_weights = config.pop("optimized_weights", {})
    if not backend.RUNS_MANY_STEPS:
        config["steps_per_execution"] = 1
    arguments = keras.saving.deserialize_keras_object(config)
    weights = gan.weights
    for argument, places in optimized_weights.items():
        with backend.scope(gan):
            arguments[argument].build([weights[place] for place in places])
    gan.compile(**arguments)
    gan.initial_learning_rates = tuple(rates)
    gan.optimizer.keep_ratio(*rates)


def check_trained_weights(gan: "GauGAN") -> None:
    """Raises if the trainable weights of a GAN have changed since `compile`."""
    if not optimizers_fit(gan):
        raise ValueError(
            "The trainable weights are not those for which the optimizers were built: "
            "after changing `trainable`, call `compile` again, with new optimizers."
        )


def optimizers_fit(gan: "GauGAN") -> bool:
    """Whether the optimizers of a GAN were built for the currently trainable weights."""
    return all(
        list(map(id, optimizer._trainable_variables)) == list(map(id, variables))
        for _, optimizer, variables in _sides(gan)
    )


def _sides(gan):
    return (
        ("generator_optimizer", gan.generator_optimizer, gan.generator_variables),
        ("discriminator_optimizer", gan.discriminator_optimizer, gan.discriminator_variables),
    )
