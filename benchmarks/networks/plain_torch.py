"""The plain PyTorch model on any device. Imported by workers only."""

import torch
from torch.nn.utils import remove_spectral_norm

from benchmarks.harness.run import SkippedError
from benchmarks.networks import torch_spade
from benchmarks.networks.batch_run import BatchRun


def make(device, settings, samples, channels_last=False, compiled=False, folded=False):
    """Makes the `Run` of a model of `torch_spade`.

    Inference: under `torch.inference_mode`, one-hot encoding included; with `folded` after
    `remove_spectral_norm`. Forward and backward: the mean square of what the network returns in
    training mode. Training step: that of `torch_spade.GauGAN`. Compiled: each network by
    `nn.Module.compile`, for one batch size.

    Args:
        device: a `TorchDevice`.
        settings: `Settings`.
        samples: see `LabelMaps`.
        channels_last: whether networks and inputs are laid out channels last.
        compiled: whether networks are compiled.
        folded: whether sigma is folded into the kernels.
    """
    torch.manual_seed(0)
    if folded and settings.task != "inference":
        raise SkippedError("spectral norm is folded for inference only")
    compile_options = {"dynamic": False} if compiled else None
    if settings.task == "training_step":
        return StepRun(device, settings, samples, channels_last, compile_options)
    build = {"generator": plain_generator, "discriminator": plain_discriminator}
    network = build[settings.network](settings)
    if folded:
        for child in network.modules():
            if hasattr(child, "weight_orig"):
                remove_spectral_norm(child)
    return NetworkRun(device, settings, samples, network, channels_last, compile_options)


def plain_generator(settings):
    return torch_spade.SPADEGenerator(
        settings.label_channels,
        (settings.height, settings.width),
        settings.latent_dim,
        settings.base_filters,
        settings.hidden_filters,
    )


def plain_discriminator(settings):
    return torch_spade.MultiScaleDiscriminator(settings.label_channels, settings.base_filters)


class PlainRun(BatchRun):
    """Steps on labels, edges (or `None`) and images, as `torch_spade` takes them."""

    def prepare(self, case):
        super().prepare(case)
        torch.compiler.reset()  # Discard code compiled for another batch size.

    def place(self, batch):
        labels = self.device.put(batch["labels"]).long()
        edges = self.device.put(batch["edges"]) if "edges" in batch else None
        return labels, edges, self.device.put(batch["image"]).permute(0, 3, 1, 2)


class NetworkRun(PlainRun):
    """Inference, or forward and backward, of a network of label channels and something else."""

    def __init__(
        self, device, settings, samples, network, channels_last=False, compile_options=None
    ):
        super().__init__(device, settings, samples)
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.training = settings.task != "inference"
        self.network = network.to(device.device, memory_format=self.layout).train(self.training)
        if compile_options is not None:
            network.compile(**compile_options)

    def step(self, batch):
        labels, edges, image = batch
        settings = self.settings
        with torch.inference_mode(not self.training):
            with self.device.autocast(settings.precision):
                classes = settings.num_classes + settings.void_class
                channels = torch_spade.label_channels_of(labels, classes, edges)
                inputs = [channels.contiguous(memory_format=self.layout), image]
                if settings.network == "generator":
                    inputs[1] = None
                    if settings.latent_dim is not None:
                        inputs[1] = image.new_zeros(len(image), settings.latent_dim)
                outputs = self.network(*inputs)
        if not self.training:
            return outputs
        scales = [[outputs]] if settings.network == "generator" else outputs
        self.network.zero_grad()
        sum(x.square().mean() for scale in scales for x in scale).backward()


class StepRun(PlainRun):
    """Training steps, with encoder if there is a latent."""

    def __init__(self, device, settings, samples, channels_last, compile_options):
        super().__init__(device, settings, samples)
        encoder = None
        if settings.latent_dim is not None:
            size = (settings.height, settings.width)
            encoder = torch_spade.StyleEncoder(size, settings.latent_dim, settings.base_filters)
        networks = [plain_generator(settings), plain_discriminator(settings), encoder]
        networks = [network and network.to(device.device) for network in networks]
        self.gan = AutocastGauGAN(*networks, channels_last, compile_options)
        make_slots(self.gan.generator_optimizer)
        make_slots(self.gan.discriminator_optimizer)

    def step(self, batch):
        with self.device.autocast(self.settings.precision):
            return self.gan.training_step(*batch)


class AutocastGauGAN(torch_spade.GauGAN):
    """A `torch_spade.GauGAN` trained under autocast, except for the backward passes."""

    @staticmethod
    def _minimize(losses, optimizer):
        device = next(iter(losses.values())).device.type
        with torch.autocast(device, enabled=False):
            return torch_spade.GauGAN._minimize(losses, optimizer)


def make_slots(optimizer):
    """Makes Adam's slots before its first step; zero gradients change no weights."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
