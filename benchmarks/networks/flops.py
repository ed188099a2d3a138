"""Floating point operations of the plain model, counted by hand from its layers.

Counts convolutions and dense layers on one-hot label maps, with two operations per multiply-add.
Savings of label patterns are not subtracted, so that the same task has one number.
"""

from dataclasses import dataclass

COUNTED = ("inference", "training_step")
BLOCKS = ((32, 16, 16), (16, 16, 16), (16, 16, 16), (8, 16, 8), (4, 8, 4), (2, 4, 2), (1, 2, 1))


@dataclass(frozen=True)
class Product:
    """A layer: multiply-adds per sample, and whether its inputs need no gradient (maps, noise)."""

    multiply_adds: int
    reads_data: bool = False


def flops(settings):
    """Floating point operations of one step of inference or training on one sample.

    A training step is the generator's update (forward passes of encoder, generator and, for fake
    and real, discriminator; gradients of encoder and generator, and through the discriminator of
    its inputs alone), and the discriminator's: the same forward passes, its own gradients. A
    gradient costs a forward pass for the inputs, unless they are data, and one for the weights.

    Args:
        settings: a `Settings`, of the task "inference" or "training_step".
    """
    generator = list(generator_layers(settings))
    if settings.task == "inference":
        return 2 * _forward(generator)
    if settings.task not in COUNTED:
        raise ValueError(f"Not counted: {settings.task!r}.")
    encoder, judge = list(encoder_layers(settings)), 2 * list(discriminator_layers(settings))
    forward = _forward(generator) + _forward(encoder) + _forward(judge)
    first = forward + _backward(generator) + _backward(encoder) + _forward(judge)
    return 2 * (first + forward + _backward(judge))


def _forward(layers):
    return sum(layer.multiply_adds for layer in layers)


def _backward(layers):
    return sum(layer.multiply_adds * (1 if layer.reads_data else 2) for layer in layers)


def generator_layers(settings):
    """The layers of the generator."""
    f, labels, hidden = settings.base_filters, settings.label_channels, settings.hidden_filters
    grid = (settings.height // 32) * (settings.width // 32)
    if settings.latent_dim is None:
        yield Product(grid * 9 * labels * 16 * f, reads_data=True)
    else:  # In training, the latent comes from the encoder.
        yield Product(grid * settings.latent_dim * 16 * f)
    for scale, *factors in BLOCKS:
        pixels = (settings.height // scale) * (settings.width // scale)
        inputs, outputs = (factor * f for factor in factors)
        middle = min(inputs, outputs)
        yield Product(pixels * 9 * inputs * middle)
        yield Product(pixels * 9 * middle * outputs)
        spades = [inputs, middle]
        if inputs != outputs:
            yield Product(pixels * inputs * outputs)
            spades.append(inputs)
        for channels in spades:
            yield Product(pixels * 9 * labels * hidden, reads_data=True)
            yield Product(pixels * 9 * hidden * 2 * channels)
    yield Product(settings.height * settings.width * 9 * f * 3)


def discriminator_layers(settings):
    """The layers of the discriminator, for one image; at each scale the first reads data."""
    size = (settings.height, settings.width)
    for _ in range(2):
        channels, edges = settings.label_channels + 3, size
        for index, stride in enumerate((2, 2, 2, 1, 1)):
            filters = 1 if index == 4 else min(settings.base_filters * 2**index, 512)
            edges = [edge // 2 + 1 if stride == 2 else edge + 1 for edge in edges]
            yield Product(edges[0] * edges[1] * 16 * channels * filters, reads_data=index == 0)
            channels = filters
        size = [(edge - 1) // 2 + 1 for edge in size]


def encoder_layers(settings):
    """The layers of the encoder, none without latent."""
    if settings.latent_dim is None:
        return
    channels, edges = 3, (settings.height, settings.width)
    for index, factor in enumerate((1, 2, 4, 8, 8, 8)):
        filters = factor * settings.base_filters
        edges = [(edge + 1) // 2 for edge in edges]
        yield Product(edges[0] * edges[1] * 9 * channels * filters, reads_data=index == 0)
        channels = filters
    yield Product(2 * channels * edges[0] * edges[1] * settings.latent_dim)
