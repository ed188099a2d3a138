"""The perceptual loss of the paper's experiments."""

from keras_spade import losses


def perceptual_options(vgg16, weight):
    """The perceptual loss and its weight, as arguments of `GauGAN.compile`.

    Args:
        vgg16: a file of weights; `""` or `None`: no loss.
        weight: `None`: the paper's share, whatever the file.
    """
    if not vgg16 or weight == 0:
        return {"perceptual_loss": None, "perceptual_weight": 0.0}
    loss = losses.PerceptualLoss(vgg16, network="vgg16")
    return {
        "perceptual_loss": loss,
        "perceptual_weight": loss.paper_weight if weight is None else weight,
    }
