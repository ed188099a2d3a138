"""The named architectures: their sizes, computed from the paper's figures."""

import inspect
import math
import re
from pathlib import Path

import numpy as np
import pytest
from support.golden_files import read_arrays

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator
from keras_spade.presets import PRESETS
from keras_spade.presets.architectures import ARCHITECTURES

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden" / "nvlabs"


def of_generator(labels, filters, hidden=128, latent=None):
    """Weights of the paper's generator (figures 9 to 11) with 5 or 6 doublings.

    Args:
        labels: channels of the label map, including void and edges.
        filters: filters of the last block, 64 in the paper.
        hidden: filters inside the SPADEs.
        latent: `None`, or the latent's size and the area of the map it becomes.
    """

    def spade(channels):
        return 9 * labels * hidden + hidden + 2 * (9 * hidden * channels + channels)

    def block(inputs, outputs):
        middle = min(inputs, outputs)
        main = 9 * inputs * middle + middle + 9 * middle * outputs + outputs
        shortcut = 0 if inputs == outputs else spade(inputs) + inputs * outputs
        return spade(inputs) + spade(middle) + main + shortcut

    first = 16 * filters
    head = 9 * labels * first + first if latent is None else (latent[0] + 1) * first * latent[1]
    widths = [first, first, first, first, *(factor * filters for factor in (8, 4, 2, 1))]
    blocks = sum(map(block, widths[:-1], widths[1:]))
    return head + blocks + 9 * filters * 3 + 3


def of_discriminator(labels, filters):
    """Weights of the paper's discriminator: two scales of five 4 x 4 convolutions.

    Convolutions in front of a norm have no bias.
    """
    widths = [labels + 3, filters, 2 * filters, 4 * filters, 8 * filters, 1]
    kernels = sum(16 * one * other for one, other in zip(widths[:-1], widths[1:], strict=True))
    return 2 * (kernels + filters + 1)


def trained(network):
    return sum(math.prod(weight.shape) for weight in network.trainable_weights)


@pytest.mark.parametrize(
    "file, labels, latent",
    [
        ("generator_normal_vae_inst_wide", 7, (256, 2 * 4)),
        ("generator_more_vae_noinst", None, None),
    ],
)
def test_the_count_is_that_of_the_authors_networks(file, labels, latent):
    arrays = read_arrays(GOLDEN / f"{file}.npz")
    state = {k.removeprefix("state/"): v for k, v in arrays.items() if k.startswith("state/")}
    none = ("_u", "_v", "running_mean", "running_var", "num_batches_tracked")
    sizes = {name: array.size for name, array in state.items() if not name.endswith(none)}
    if labels is None:
        labels = next(v.shape[1] for k, v in state.items() if k.endswith("mlp_shared.0.weight"))
        dense = state["fc.weight"]
        filters = state["conv_img.weight"].shape[1]
        latent = dense.shape[1], dense.shape[0] // (16 * filters)
    assert sum(sizes.values()) == of_generator(labels, filters=2, latent=latent)


def test_the_count_is_what_the_authors_program_prints():
    """In millions, for 19 classes without instances, from a log published by one of its users."""
    assert round(of_generator(19, 64) / 1e6, 1) == 92.5
    assert round(of_discriminator(19, 64) / 1e6, 1) == 5.6


def sizes_of(name):
    """Label channels, filters and hidden filters of the generator, filters of the discriminator."""
    networks = ARCHITECTURES[name].config()["config"]
    found = {}
    for kind, part in ((SPADEGenerator, "generator"), (MultiScaleDiscriminator, "discriminator")):
        defaults = inspect.signature(kind).parameters.items()
        found[part] = {k: p.default for k, p in defaults} | networks[part]["config"]
    one, other = found["generator"], found["discriminator"]
    assert one["latent_dim"] is None
    labels = one["num_classes"] + one["void_class"] + one["instance_edges"]
    return labels, one["base_filters"], one["hidden_filters"], other["base_filters"]


def test_docs_tell_the_counts_of_all():
    page = (ROOT / "docs" / "presets.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| .* \| ([\d.]+) \| ([\d.]+) \|", page, re.MULTILINE)
    counts = {}
    for name in ARCHITECTURES:
        labels, filters, hidden, others = sizes_of(name)
        counts[name] = of_generator(labels, filters, hidden), of_discriminator(labels, others)
    want = [(name, *(f"{count / 1e6:.1f}" for count in counts[name])) for name in ARCHITECTURES]
    assert rows == want


def test_a_generator_of_an_architecture():
    small = {"base_filters": 2, "hidden_filters": 4}
    generator = SPADEGenerator.from_preset("coco_stuff_256", load_weights=False, **small)
    assert trained(generator) == of_generator(184, 2, 4)
    assert generator.image_shape == (256, 256, 3) and len(generator.classes.names) == 182


def test_a_gan_of_an_architecture():
    gan = GauGAN.from_preset("facades_128_tiny", load_weights=False)
    labels, filters, hidden, others = sizes_of("facades_128_tiny")
    assert trained(gan.generator) == of_generator(labels, filters, hidden)
    assert trained(gan.discriminator) == of_discriminator(labels, others)
    assert gan.classes.names[1] == "facade" and len(gan.classes.palette) == 12
    assert gan.encoder is None and np.isin(gan.generator.void_class, True)
    assert gan.generator.initial_gain == gan.discriminator.initial_gain == 1.0
    changed = GauGAN.from_preset("facades_128_tiny", load_weights=False, initial_gain=0.5)
    assert changed.generator.initial_gain == changed.discriminator.initial_gain == 0.5
    small = [name for name in ARCHITECTURES if name.endswith(("_small", "_tiny"))]
    for name, architecture in ARCHITECTURES.items():  # The paper's have the default, 0.02.
        for network in ("generator", "discriminator"):
            config = architecture.config()["config"][network]["config"]
            assert config.get("initial_gain") == (1.0 if name in small else None)


def test_their_weights_are_not_there():
    wanted = "'coco_stuff_256' is an architecture without trained weights. With load_weights=False"
    for kind in (SPADEGenerator, GauGAN):
        with pytest.raises(ValueError, match=wanted) as caught:
            kind.from_preset("coco_stuff_256")
        assert "Presets with weights: scenes." in str(caught.value)


def test_presets_are_described():
    assert SPADEGenerator.presets is GauGAN.presets is PRESETS
    assert set(PRESETS) == {"scenes", *ARCHITECTURES}
    assert all(isinstance(text, str) and 20 < len(text) < 100 for text in PRESETS.values())
