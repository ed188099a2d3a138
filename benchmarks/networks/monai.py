"""MONAI's decoder, as close to the paper's generator as possible. Imported by workers only."""

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness.run import SkippedError
from benchmarks.networks.plain_torch import NetworkRun, plain_generator


def make(device, settings, samples):
    """The `Run` of the decoder of MONAI's `SPADENet`.

    Its channels are ours at 1/32 to 1/4 of the image. The differences: one block per resolution,
    each followed by a doubling, so that the block at 1/2 outputs three channels and none
    runs at full resolution (and only one at 1/16); no spectral norm; leaky ReLU inside the SPADEs;
    instance norms on gamma and beta. Batch norm, hidden filters, tanh and latent are set to ours.
    """
    if settings.task == "training_step" or settings.network != "generator":
        raise SkippedError("MONAI has no GauGAN training step with the discriminator of the paper")
    try:
        import monai
    except ModuleNotFoundError:
        raise SkippedError("monai is not installed") from None
    torch.manual_seed(0)
    run = NetworkRun(device, settings, samples, decoder(settings))
    ratio = forward_flops(decoder, settings) / forward_flops(plain_generator, settings)
    run.sample_flops *= ratio
    run.versions = {"monai": monai.__version__}
    run.note = f"a smaller network, {ratio:.2f} of the paper's operations; see {__name__}"
    return run


def decoder(settings):
    from monai.networks.nets.spade_network import SPADEDecoder

    f = settings.base_filters
    return SPADEDecoder(
        spatial_dims=2,
        out_channels=3,
        label_nc=settings.label_channels,
        input_shape=[settings.height, settings.width],
        channels=[16 * f, 16 * f, 16 * f, 8 * f, 4 * f],  # A new list: MONAI appends to it.
        z_dim=settings.latent_dim,
        is_vae=settings.latent_dim is not None,
        spade_intermediate_channels=settings.hidden_filters,
        norm=("BATCH", {"affine": False}),
        last_act="TANH",
    )


def forward_flops(build, settings):
    """Floating point operations of one forward pass, counted without computing it."""
    with torch.device("meta"):
        network = build(settings).eval()
        channels = torch.empty(1, settings.label_channels, settings.height, settings.width)
        latent = None if settings.latent_dim is None else torch.empty(1, settings.latent_dim)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(channels, latent)
    return counter.get_total_flops()
