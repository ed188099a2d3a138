"""The plain PyTorch model on any device. Imported by workers only."""

import torch
import torch_spade
from _device_runs import Run
from _torch_steps import make_slots, plain_generator, tensors_of


class AutocastGauGAN(torch_spade.GauGAN):
    """`torch_spade.GauGAN` that is trained under autocast; backward passes are made without."""

    @staticmethod
    def _minimize(losses, optimizer):
        device = next(iter(losses.values())).device.type
        with torch.autocast(device, enabled=False):
            return torch_spade.GauGAN._minimize(losses, optimizer)


def make(settings, device, pick, channels_last=False, compiled=False):
    """The `Run` of a model of `torch_spade`.

    Inference: under `torch.inference_mode`, one-hot encoding included. Training step: that of
    `torch_spade.GauGAN`. Compiled: each network by `nn.Module.compile`, for one batch size.

    Args:
        settings: a `DeviceSettings`.
        device: a `TorchDevice`.
        pick: a function of a batch size that returns batches of NumPy arrays.
        channels_last: whether networks and inputs are laid out channels last.
        compiled: whether networks are compiled.
    """
    torch.manual_seed(0)

    def batches(batch_size):
        placed = []
        for batch in pick(batch_size):
            placed.append([tensor.to(device.device) for tensor in tensors_of(batch)])
        return placed

    kind = _training_step if settings.task == "training_step" else _inference
    compile_options = {"dynamic": False} if compiled else None
    step = kind(settings, device, channels_last, compile_options)
    return Run(device, batches, step, torch.compiler.reset if compiled else None)


def _inference(settings, device, channels_last, compile_options):
    layout = torch.channels_last if channels_last else torch.contiguous_format
    generator = plain_generator(settings).to(device.device, memory_format=layout).eval()
    if compile_options is not None:
        generator.compile(**compile_options)
    classes = settings.num_classes + settings.void_class

    def step(batch):
        labels, edges, _ = batch
        latent = None
        if settings.latent_dim is not None:
            latent = torch.zeros(len(labels), settings.latent_dim, device=device.device)
        with torch.inference_mode(), device.autocast(settings.precision):
            channels = torch_spade.label_channels_of(labels, classes, edges)
            return generator(channels.contiguous(memory_format=layout), latent)

    return step


def _training_step(settings, device, channels_last, compile_options):
    encoder, filters = None, settings.base_filters
    if settings.latent_dim is not None:
        size = (settings.height, settings.width)
        encoder = torch_spade.StyleEncoder(size, settings.latent_dim, filters)
    networks = [
        plain_generator(settings),
        torch_spade.MultiScaleDiscriminator(settings.label_channels, filters),
        encoder,
    ]
    networks = [network and network.to(device.device) for network in networks]
    gan = AutocastGauGAN(*networks, channels_last, compile_options)
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        make_slots(optimizer)

    def step(batch):
        with device.autocast(settings.precision):
            return gan.training_step(*batch)

    return step
