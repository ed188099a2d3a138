"""The operations of the model, as the benchmarks count them."""

from dataclasses import replace

import pytest
from support.backends import with_gradients

from benchmarks.networks.flops import discriminator_layers, encoder_layers, flops, generator_layers
from benchmarks.networks.settings import Settings

SMALL = Settings(
    task="inference",
    height=96,
    width=160,
    num_classes=5,
    void_class=True,
    instance_edges=True,
    latent_dim=8,
    base_filters=4,
    hidden_filters=8,
)


def test_flops_of_the_paper():
    # The sums of docs/performance.md, in multiply-adds: the blocks' convolutions, and dense SPADEs;
    # here also the dense layer and the convolution to the image.
    paper = replace(
        SMALL, height=256, width=256, num_classes=182, base_filters=64, hidden_filters=128
    )
    paper = replace(paper, latent_dim=256)
    dense_layer, to_image = 256 * 1024 * 8 * 8, 256 * 256 * 9 * 64 * 3
    assert flops(paper) == pytest.approx(
        2 * (42.01e9 + 148.91e9 + dense_layer + to_image), rel=1e-4
    )


def test_layers_by_hand():
    first, second, *_ = discriminator_layers(SMALL)
    assert first.multiply_adds == 49 * 81 * 16 * (7 + 3) * 4
    assert second.multiply_adds == 25 * 41 * 16 * 4 * 8
    *convs, heads = encoder_layers(SMALL)
    assert convs[0].multiply_adds == 48 * 80 * 9 * 3 * 4
    assert heads.multiply_adds == 2 * (32 * 2 * 3) * 8
    assert next(generator_layers(SMALL)).multiply_adds == 3 * 5 * 8 * 64
    assert next(generator_layers(replace(SMALL, latent_dim=None))).reads_data
    with pytest.raises(ValueError, match="Not counted: 'forward_backward'"):
        flops(replace(SMALL, task="forward_backward"))


@pytest.mark.parametrize("latent_dim", [8, None])
@with_gradients()
def test_flops_are_those_that_pytorch_counts(latent_dim):
    torch = pytest.importorskip("torch", reason="PyTorch counts the operations of its own model")
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks.networks import torch_spade

    settings = replace(SMALL, latent_dim=latent_dim)
    with torch.device("meta"):  # Counted, not computed.
        generator = torch_spade.SPADEGenerator(7, (96, 160), latent_dim, 4, 8)
        encoder = latent_dim and torch_spade.StyleEncoder((96, 160), latent_dim, 4)
        gan = torch_spade.GauGAN(generator, torch_spade.MultiScaleDiscriminator(7, 4), encoder)
        maps = torch.zeros(2, 96, 160)
        batch = maps.long(), maps, torch.zeros(2, 3, 96, 160)
        inputs = torch.zeros(2, 7, 96, 160), latent_dim and torch.zeros(2, latent_dim)
    with FlopCounterMode(display=False) as counter:
        gan.training_step(*batch)
    assert counter.get_total_flops() == 2 * flops(replace(settings, task="training_step"))
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        generator(*inputs)
    assert counter.get_total_flops() == 2 * flops(settings)
