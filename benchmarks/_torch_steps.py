"""The steps of the PyTorch variants. Imported by workers only."""

import torch
import torch_spade
from _variants import Step
from torch import nn
from torch.nn.utils import remove_spectral_norm


def make(settings, batches, channels_last=False, compiled=False, folded=False):
    """A step of `torch_spade`.

    Inference: under `torch.inference_mode`, one-hot encoding included; with `folded` after
    `remove_spectral_norm`. Forward and backward: the mean square of the image in training mode.
    Training step: that of `torch_spade.GauGAN`. Compiled: each network by `nn.Module.compile()`.
    """
    _set_up(settings)
    size = (settings.height, settings.width)
    generator = plain_generator(settings)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    if settings.task != "training_step":
        generator.train(settings.task != "inference").to(memory_format=layout)
        if folded:
            _fold(generator)
        if compiled:
            generator.compile()
        run = _generator_step(generator, settings, batches, layout)
        return Step(run, {"torch": torch.__version__})
    filters, encoder = settings.base_filters, None
    discriminator = torch_spade.MultiScaleDiscriminator(settings.label_channels, filters)
    if settings.latent_dim is not None:
        encoder = torch_spade.StyleEncoder(size, settings.latent_dim, filters)
    gan = torch_spade.GauGAN(
        generator,
        discriminator,
        encoder,
        channels_last=channels_last,
        compile_options={} if compiled else None,
    )
    make_slots(gan.generator_optimizer)
    make_slots(gan.discriminator_optimizer)
    tensors = [tensors_of(batch) for batch in batches]

    def run(index):
        losses = gan.training_step(*tensors[index])
        return {name: loss.item() for name, loss in losses.items()}

    return Step(run, {"torch": torch.__version__})


def make_monai(settings, batches):
    """A step of the decoder of MONAI's `SPADENet`, as near to the paper's generator as it gets.

    Its channels are ours at 1/32 to 1/4 of the image. It differs in this: one block a resolution
    and a doubling after each, so that the block at 1/2 goes straight to three channels and none
    runs at full resolution (and only one at 1/16); no spectral norm; leaky ReLU inside the SPADEs;
    instance norms on gamma and beta. Batch norm, hidden filters, tanh and latent are set to ours.
    """
    import monai

    _set_up(settings)
    decoder = _monai_decoder(settings)
    decoder.train(settings.task != "inference")
    run = _generator_step(decoder, settings, batches, torch.contiguous_format)
    ratio = _multiply_adds(_monai_decoder, settings) / _multiply_adds(plain_generator, settings)
    note = f"a smaller network, {ratio:.2f} of the paper's multiply-adds; see `make_monai`"
    return Step(run, {"torch": torch.__version__, "monai": monai.__version__}, note)


def _set_up(settings):
    torch.manual_seed(0)
    if settings.threads:
        torch.set_num_threads(settings.threads)


def plain_generator(settings):
    return torch_spade.SPADEGenerator(
        settings.label_channels,
        (settings.height, settings.width),
        settings.latent_dim,
        settings.base_filters,
        settings.hidden_filters,
    )


def _monai_decoder(settings):
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


def tensors_of(batch):
    """Labels, edges (or `None`) and image, as `torch_spade` takes them."""
    edges = torch.from_numpy(batch["edges"]) if "edges" in batch else None
    image = torch.from_numpy(batch["image"]).permute(0, 3, 1, 2)
    return torch.from_numpy(batch["labels"]).long(), edges, image


def _generator_step(generator, settings, batches, layout):
    """Inference, or forward and backward, of a network of label channels and a latent."""
    tensors = [tensors_of(batch)[:2] for batch in batches]
    classes = settings.num_classes + settings.void_class
    latent = None
    if settings.latent_dim is not None:
        latent = torch.randn(settings.batch_size, settings.latent_dim)

    def paint(index):
        labels, edges = tensors[index]
        channels = torch_spade.label_channels_of(labels, classes, edges)
        return generator(channels.contiguous(memory_format=layout), latent)

    def inference(index):
        with torch.inference_mode():
            return paint(index).numpy()

    def forward_backward(index):
        generator.zero_grad()
        paint(index).square().mean().backward()

    return inference if settings.task == "inference" else forward_backward


def _fold(module):
    for child in module.modules():
        if hasattr(child, "weight_orig"):
            remove_spectral_norm(child)


def make_slots(optimizer):
    """Adam's slots, which it would make in its first step; zero gradients move no weight."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()


def _multiply_adds(build, settings):
    """Of the convolutions and dense layers of one forward pass, counted without computing it."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        total += output.numel() * module.weight[0].numel()

    with torch.device("meta"):
        network = build(settings).eval()
        channels = torch.empty(1, settings.label_channels, settings.height, settings.width)
        latent = None if settings.latent_dim is None else torch.empty(1, settings.latent_dim)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(count)
    network(channels, latent)
    return total
