import re

import keras
import numpy as np
import pytest
from support.golden_files import golden_names, load_golden

from keras_spade import MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.checkpoints import load_nvlabs_weights, nvlabs_weights

NORMS = {"syncbatch": "sync_batch", "batch": "batch", "instance": "instance"}
GOLDEN = [
    name for kind in ("generator_", "discriminator_", "encoder_") for name in golden_names(kind)
]


def golden_network(name, config, arrays):
    """The network of a golden file."""
    norm = re.search(r"(syncbatch|batch|instance)", config["norm"]).group()
    options = {"norm": NORMS[norm], "spectral_norm": config["norm"].startswith("spectral")}
    if name.startswith("encoder_"):
        return StyleEncoder((*arrays["in/x"].shape[2:], 3), base_filters=config["ngf"], **options)
    options |= {
        "num_classes": config["label_nc"],
        "void_class": config["contain_dontcare_label"],
        "instance_edges": not config["no_instance"],
    }
    if name.startswith("discriminator_"):
        shape = (*arrays["in/x"].shape[2:], 3)
        return MultiScaleDiscriminator(image_shape=shape, base_filters=config["ndf"], **options)
    return SPADEGenerator(
        image_shape=(*arrays["out/y"].shape[2:], 3),
        latent_dim=config["z_dim"] if config["use_vae"] else None,
        base_filters=config["ngf"],
        upsampling=config["num_upsampling_layers"],
        **options,
    )


def shapes(weights):
    return {name: array.shape for name, array in weights.items()}


@pytest.mark.parametrize("name", GOLDEN)
def test_names_shapes_and_values_are_the_references(name):
    golden = load_golden(name)
    state = golden.below("state/")
    state = {k: v for k, v in state.items() if not k.endswith(".num_batches_tracked")}
    network = golden_network(name, golden.config, golden)
    assert shapes(nvlabs_weights(network)) == shapes(state)
    load_nvlabs_weights(network, state)
    for key, array in nvlabs_weights(network).items():
        assert isinstance(array, np.ndarray)
        np.testing.assert_array_equal(array, state[key])


# === Names that are in no golden file, written out from the reference's modules ===


def generator_shapes(
    classes, grid, latent_dim, base, upsampling, batch, spectral, kernel_size=3, hidden=128
):
    """The entries of the reference's `SPADEGenerator.state_dict()`, without the counters."""
    wanted = {}

    def conv(name, inputs, outputs, size, bias=True, spectral=False):
        weight = "weight_orig" if spectral else "weight"
        wanted[f"{name}.{weight}"] = (outputs, inputs, size, size)
        if spectral:
            wanted[f"{name}.weight_u"] = (outputs,)
            wanted[f"{name}.weight_v"] = (inputs * size * size,)
        if bias:
            wanted[f"{name}.bias"] = (outputs,)

    def spade(name, channels):
        if batch:
            wanted[f"{name}.param_free_norm.running_mean"] = (channels,)
            wanted[f"{name}.param_free_norm.running_var"] = (channels,)
        conv(f"{name}.mlp_shared.0", classes, hidden, kernel_size)
        conv(f"{name}.mlp_gamma", hidden, channels, kernel_size)
        conv(f"{name}.mlp_beta", hidden, channels, kernel_size)

    if latent_dim is None:
        conv("fc", classes, 16 * base, 3)
    else:
        wanted["fc.weight"] = (16 * base * grid[0] * grid[1], latent_dim)
        wanted["fc.bias"] = (16 * base * grid[0] * grid[1],)
    names = ["head_0", "G_middle_0", "G_middle_1", "up_0", "up_1", "up_2", "up_3"]
    widths = [16 * base, 16 * base, 16 * base, 16 * base, 8 * base, 4 * base, 2 * base, base]
    if upsampling == "most":
        names, widths = [*names, "up_4"], [*widths, base // 2]
    for name, inputs, outputs in zip(names, widths, widths[1:], strict=False):
        middle = min(inputs, outputs)
        conv(f"{name}.conv_0", inputs, middle, 3, spectral=spectral)
        conv(f"{name}.conv_1", middle, outputs, 3, spectral=spectral)
        spade(f"{name}.norm_0", inputs)
        spade(f"{name}.norm_1", middle)
        if inputs != outputs:
            conv(f"{name}.conv_s", inputs, outputs, 1, bias=False, spectral=spectral)
            spade(f"{name}.norm_s", inputs)
    conv("conv_img", widths[-1], 3, 3)
    return wanted


@pytest.mark.parametrize(
    ("upsampling", "factor", "latent_dim", "norm", "spectral"),
    [
        ("normal", 32, 3, "sync_batch", True),
        ("normal", 32, None, "batch", False),
        ("more", 64, None, "instance", True),
        ("more", 64, 3, "sync_batch", False),
        ("most", 128, 3, "batch", True),
        ("most", 128, None, "instance", False),
    ],
)
def test_names_of_every_upsampling(upsampling, factor, latent_dim, norm, spectral):
    generator = SPADEGenerator(
        5,
        image_shape=(factor, 2 * factor, 3),
        void_class=True,
        instance_edges=True,
        latent_dim=latent_dim,
        base_filters=2,
        upsampling=upsampling,
        norm=norm,
        kernel_size=5,
        hidden_filters=4,
        spectral_norm=spectral,
    )
    wanted = generator_shapes(
        7, (1, 2), latent_dim, 2, upsampling, norm != "instance", spectral, 5, 4
    )
    assert shapes(nvlabs_weights(generator)) == wanted
    assert ("up_0.conv_0.weight" in wanted) == (not spectral)


def patch_shapes(channels, base, num_scales, num_layers, affine, spectral):
    """The entries of the reference's `MultiscaleDiscriminator.state_dict()`, without counters."""
    wanted = {}
    for scale in range(num_scales):
        prefix = f"discriminator_{scale}.model"
        wanted[f"{prefix}0.0.weight"], wanted[f"{prefix}0.0.bias"] = (base, channels, 4, 4), (base,)
        for index in range(1, num_layers):
            inputs, outputs = base * 2 ** (index - 1), base * 2**index
            name = f"{prefix}{index}.0"
            wanted[f"{name}.0.weight_orig" if spectral else f"{name}.0.weight"] = (
                outputs,
                inputs,
                4,
                4,
            )
            if spectral:
                wanted[f"{name}.0.weight_u"] = (outputs,)
                wanted[f"{name}.0.weight_v"] = (inputs * 16,)
            if affine:
                for key in ("weight", "bias", "running_mean", "running_var"):
                    wanted[f"{name}.1.{key}"] = (outputs,)
        last = f"{prefix}{num_layers}.0"
        wanted[f"{last}.weight"] = (1, base * 2 ** (num_layers - 1), 4, 4)
        wanted[f"{last}.bias"] = (1,)
    return wanted


@pytest.mark.parametrize("spectral", [True, False], ids=["spectral", "plain"])
@pytest.mark.parametrize(
    ("num_scales", "num_layers", "norm"),
    [(3, 3, "instance"), (2, 5, "sync_batch"), (1, 1, "batch")],
)
def test_names_of_other_discriminators(num_scales, num_layers, norm, spectral):
    discriminator = MultiScaleDiscriminator(
        4,
        image_shape=(32, 32, 3),
        base_filters=2,
        num_scales=num_scales,
        num_layers=num_layers,
        norm=norm,
        spectral_norm=spectral,
    )
    wanted = patch_shapes(7, 2, num_scales, num_layers, norm != "instance", spectral)
    assert shapes(nvlabs_weights(discriminator)) == wanted


@pytest.mark.parametrize("spectral", [True, False], ids=["spectral", "plain"])
@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_names_of_other_encoders(norm, spectral):
    encoder = StyleEncoder(
        (100, 321, 3), 5, base_filters=2, resize_to=None, norm=norm, spectral_norm=spectral
    )
    wanted, widths = {}, [3, 2, 4, 8, 16, 16, 16]
    for i, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False), start=1):
        weight = "weight_orig" if spectral else "weight"
        wanted[f"layer{i}.0.{weight}"] = (outputs, inputs, 3, 3)
        if spectral:
            wanted[f"layer{i}.0.weight_u"] = (outputs,)
            wanted[f"layer{i}.0.weight_v"] = (inputs * 9,)
        if norm == "batch":
            for key in ("weight", "bias", "running_mean", "running_var"):
                wanted[f"layer{i}.1.{key}"] = (outputs,)
    for head in ("fc_mu", "fc_var"):
        # 100 and 321, halved six times and rounded up.
        wanted[f"{head}.weight"], wanted[f"{head}.bias"] = (5, 16 * 2 * 6), (5,)
    assert shapes(nvlabs_weights(encoder)) == wanted


# === Round trips ===


def outputs(network, inputs):
    return [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(network(inputs))]


def build_generator():
    return SPADEGenerator(
        4, (64, 96, 3), instance_edges=True, latent_dim=3, base_filters=2, hidden_filters=4
    )


def build_generator_of_most():
    return SPADEGenerator(
        4, (128, 128, 3), base_filters=2, hidden_filters=4, latent_dim=None, upsampling="most"
    )


def build_discriminator():
    return MultiScaleDiscriminator(
        4, (64, 96, 3), instance_edges=True, base_filters=2, norm="batch"
    )


def build_encoder():
    return StyleEncoder((64, 96, 3), latent_dim=5, base_filters=2, resize_to=(96, 160))


@pytest.mark.parametrize(
    "build",
    [
        build_generator,
        pytest.param(build_generator_of_most, marks=pytest.mark.slow_on("tensorflow")),
        build_discriminator,
        build_encoder,
    ],
)
def test_weights_carry_a_network_to_another_to_the_bit(build):
    rng = np.random.default_rng(0)
    every = {
        "labels": rng.integers(0, 4, (2, 64, 96)).astype("int32"),
        "edges": rng.integers(0, 2, (2, 64, 96)).astype("float32"),
        "latent": rng.normal(size=(2, 3)).astype("float32"),
        "image": rng.uniform(-1, 1, (2, 64, 96, 3)).astype("float32"),
    }
    keras.utils.set_random_seed(1)
    source = build()
    names = source.input if isinstance(source.input, dict) else None
    inputs = {name: every[name] for name in names} if names else every["image"]
    source(inputs, training=True)  # Moves spectral norms and statistics.
    want = outputs(source, inputs)
    keras.utils.set_random_seed(2)
    target = build()
    assert any(np.any(a != b) for a, b in zip(outputs(target, inputs), want, strict=True))
    load_nvlabs_weights(target, nvlabs_weights(source))
    for ours, theirs in zip(outputs(target, inputs), want, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_arrays_are_copies():
    encoder = build_encoder()
    before = encoder.get_weights()
    for array in nvlabs_weights(encoder).values():
        array[...] = 0.0
    for now, then in zip(encoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="`network` must be a SPADEGenerator.*got Sequential"):
        nvlabs_weights(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))
    for options in ({"fusion": "projection"}, {"norm": "spade"}):
        other = MultiScaleDiscriminator(3, (32, 32, 3), base_filters=1, **options)
        with pytest.raises(ValueError, match="has no discriminator with fusion="):
            nvlabs_weights(other)
