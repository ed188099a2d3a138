"""The two models to compare, with the same interface."""

from dataclasses import dataclass

import keras
import numpy as np

from examples.paper.keras_io.gaugan import BLOCKS, KerasIoGauGAN
from keras_spade import (
    GauGAN,
    MultiScaleDiscriminator,
    SPADEGenerator,
    StyleEncoder,
    images,
    optimizers,
)


@dataclass(frozen=True)
class Options:
    """The options of both; the last eight apply to ours only."""

    image_shape: tuple
    num_classes: int
    void_class: bool
    palette: np.ndarray
    perceptual_loss: object
    perceptual_weight: float
    discriminator_filters: int
    ema: float
    filters: int
    hidden_filters: int
    encoder: bool
    norm: str
    initial_gain: float
    kernel_start: str
    rates: tuple
    beta_2: float


class Ours:
    """This package's GAN.

    Args:
        options: an `Options`.
        seed: of weights and noise.
        training: batches to calibrate with.
        batches: their number.
    """

    def __init__(self, options, seed, training, batches):
        keras.utils.set_random_seed(seed)
        generator = our_generator(options)
        shape, latent_dim = options.image_shape, generator.latent_dim
        width = options.discriminator_filters
        discriminator = MultiScaleDiscriminator(**common_arguments(options), base_filters=width)
        encoder = None
        if options.encoder:
            encoder = StyleEncoder(
                shape,
                latent_dim,
                width,
                resize_to=(128, 128),
                initial_gain=options.initial_gain,
            )
        self.gan = GauGAN(generator, discriminator, encoder, seed=seed)
        if options.kernel_start == "torch":
            start_as_torch(self.gan)
        averages = {"use_ema": True, "ema_momentum": options.ema}
        self.optimizers = [
            optimizers.BiasCorrectedAdam(rate, beta_2=options.beta_2, **chosen)
            for rate, chosen in zip(options.rates, (averages, {}), strict=True)
        ]
        self.gan.compile(
            *self.optimizers,
            perceptual_loss=options.perceptual_loss,
            perceptual_weight=options.perceptual_weight,
        )
        self.rates = options.rates
        self.training, self.batches = training, batches
        self.painter = GauGAN.from_config(self.gan.get_config())
        self.parameters = self.gan.generator.count_params()

    def train(self, batch):
        """Makes one step; returns the mean losses since the last pictures."""
        return self.gan.train_on_batch(batch, return_dict=True)

    def variables(self):
        """The variables needed to resume training."""
        return [v for group in self.gan.state_variables().values() for v in group]

    def paint(self, labels, batch_size):
        """Pictures of label maps, uint8, by variant; the state of training is unchanged."""
        pictures = {}

        def add(variant, gan, paint):
            # With a single copy, so that painting is traced once.
            self.painter.set_weights(gan.get_weights())
            pictures[variant] = in_batches(paint, labels, batch_size)

        def generated(part, i):
            return self.painter.generate(part, seed=i)

        add("batch", self.gan, lambda part, i: as_bytes(self.painter(part, training=True)))
        add("moving", self.gan, generated)
        add("averaged", self.gan.averaged(), generated)
        if has_statistics(self.gan):
            kept = self.gan.statistics
            before = [keras.ops.convert_to_numpy(variable) for variable in kept]
            self.gan.calibrate(self.training, batches=self.batches, verbose=0)
            add("calibrated", self.gan, generated)
            add("averaged calibrated", self.gan.averaged(), generated)
            for variable, value in zip(kept, before, strict=True):
                variable.assign(value)
            # Otherwise pictures at the same step would use them as those of `averaged()`.
            self.gan.statistics_of_averages = None
        self.gan.reset_metrics()
        return pictures


class Theirs:
    """The GAN of keras.io, with a generator about as large as ours.

    Args:
        options: an `Options`.
        seed: of weights and noise.
    """

    def __init__(self, options, seed):
        keras.utils.set_random_seed(seed)
        channels, parameters = len(options.palette), our_generator(options).count_params()
        filters = min(
            range(1, 129),
            key=lambda f: abs(count_parameters(options.image_shape, channels, f) - parameters),
        )
        self.gan = KerasIoGauGAN(
            options.image_shape,
            options.palette,
            filters,
            options.discriminator_filters,
            options.discriminator_filters,
            seed=seed,
        )
        self.gan.compile(
            options.perceptual_loss,
            options.perceptual_weight,
            use_ema=True,
            ema_momentum=options.ema,
        )
        self.optimizers = [self.gan.generator_optimizer, self.gan.discriminator_optimizer]
        self.rates = (1e-4, 4e-4)
        self.parameters = self.gan.generator.count_params()

    def train(self, batch):
        """Makes one step; returns its losses."""
        return self.gan.train_on_batch(batch, return_dict=True)

    def variables(self):
        """The variables needed to resume training."""
        return self.gan.state_variables()

    def paint(self, labels, batch_size):
        """Pictures of label maps, uint8, by variant."""
        weights = self.gan.generator.get_weights()

        def painted():
            paint = lambda part, i: as_bytes(self.gan.paint(part, seed=i))  # noqa: E731
            return in_batches(paint, labels, batch_size)

        pictures = {"batch": painted()}
        optimizer = self.gan.generator_optimizer
        optimizer.finalize_variable_values(self.gan.generator.trainable_variables)
        pictures["averaged batch"] = painted()
        self.gan.generator.set_weights(weights)
        return pictures


def common_arguments(options):
    """The arguments common to generator and discriminator."""
    names = ("num_classes", "image_shape", "void_class", "initial_gain")
    return {name: getattr(options, name) for name in names}


def our_generator(options):
    """Our generator."""
    return SPADEGenerator(
        **common_arguments(options),
        latent_dim=256 if options.encoder else None,
        base_filters=options.filters,
        hidden_filters=options.hidden_filters,
        norm=options.norm,
    )


def traced(side, batch):
    """Makes a step, and undoes it."""
    before = [keras.ops.convert_to_numpy(variable) for variable in side.variables()]
    side.train(batch)
    for variable, value in zip(side.variables(), before, strict=True):
        variable.assign(value)


def in_batches(paint, labels, batch_size):
    """Pictures of label maps, painted in batches."""
    parts = range(0, len(labels), batch_size)
    return np.concatenate([paint(labels[i : i + batch_size], i) for i in parts])


def as_bytes(pictures):
    """A network's pictures as bytes."""
    return images.to_bytes(keras.ops.convert_to_numpy(pictures))


def has_statistics(gan):
    """Whether generator or encoder has moving statistics."""
    networks = [gan.generator, *([gan.encoder] if gan.encoder else [])]
    return any("moving_mean" in v.path for network in networks for v in network.statistics)


def start_as_torch(gan):
    """Scales the kernels under spectral norm as PyTorch initialises them: deviation `(3
    fan_in)^-1/2`.

    The networks compute the same, because the norm divides by the scale, but a step of the
    optimizer rotates a larger kernel by less. The authors' code starts like this on a GPU; its
    gain of 0.02 only affects the other kernels.
    """
    weights = [w for part in (gan.generator, gan.discriminator, gan.encoder) if part is not None
               for w in part.weights]  # fmt: skip
    normalized = tuple(w.path.removesuffix("u") for w in weights if w.path.endswith("/u"))
    for weight in weights:
        if weight.path.endswith("kernel") and weight.path.startswith(normalized):
            value = keras.ops.convert_to_numpy(weight)
            fan_in = np.prod(value.shape[:-1])
            weight.assign(value * (3 * fan_in) ** -0.5 / value.std())


def count_parameters(image_shape, channels, filters, latent_dim=256):
    """The weights of the generator of keras.io."""
    blocks = BLOCKS if min(image_shape[:2]) >= 256 else BLOCKS[1:]
    pixels = image_shape[0] * image_shape[1] // 4 ** len(blocks)

    def convolution(size, inputs, outputs):
        return (size * size * inputs + 1) * outputs

    def spade(width):
        return convolution(3, channels, 128) + 2 * convolution(3, 128, width)

    total, width = (latent_dim + 1) * pixels * 16 * filters, 16 * filters
    for factor in blocks:
        inputs, width = width, factor * filters
        total += spade(inputs) + spade(width)
        total += convolution(3, inputs, width) + convolution(3, width, width)
        if inputs != width:
            total += spade(inputs) + convolution(3, inputs, width)
    return total + convolution(4, width, 3)
