import re

import keras
import numpy as np
import pytest
from support.backends import at_once, only_on, sixty_four_bits
from support.golden_files import channels_last, golden_names, load_golden, relative_error
from support.harness import to_numpy

from keras_spade import SPADEGenerator
from keras_spade.checkpoints import load_nvlabs_weights

NORMS = {"syncbatch": "sync_batch", "batch": "batch", "instance": "instance"}
FACTORS = {"normal": 32, "more": 64, "most": 128}
BLOCKS = ("head_0", "middle_0", "middle_1", "up_0", "up_1", "up_2", "up_3")


def golden_generator(golden, conditioning="labels", **options):
    """The generator of a golden file, with its weights."""
    config = golden.config
    spectral, norm, size = re.fullmatch(
        r"(spectral)?spade(syncbatch|batch|instance)(\d)x\3", config["norm"]
    ).groups()
    if conditioning == "labels":
        options["num_classes"] = config["label_nc"]
        options["void_class"] = config["contain_dontcare_label"]
        options["instance_edges"] = not config["no_instance"]
    else:
        options["num_classes"] = config["semantic_nc"]
    generator = SPADEGenerator(
        image_shape=channels_last(golden["out/y"]).shape[1:],
        latent_dim=config["z_dim"] if config["use_vae"] else None,
        base_filters=config["ngf"],
        upsampling=config["num_upsampling_layers"],
        norm=NORMS[norm],
        kernel_size=int(size),
        spectral_norm=spectral is not None,
        conditioning=conditioning,
        **options,
    )
    load_nvlabs_weights(generator, golden.below("state/"))
    return generator


def golden_inputs(golden, conditioning="labels"):
    """The inputs of a golden file, as integer labels or as the float map made of them."""
    if conditioning == "labels":
        inputs = {"labels": golden["in/label"][:, 0]}
        if not golden.config["no_instance"]:
            inputs["edges"] = golden["in/seg"][:, -1]
    else:
        inputs = {"segmap": channels_last(golden["in/seg"])}
    if golden.config["use_vae"]:
        inputs["latent"] = golden["in/z"]
    return inputs


def small_generator(**options):
    defaults = {"num_classes": 4, "image_shape": (32, 64, 3), "latent_dim": None}
    return SPADEGenerator(**{**defaults, "base_filters": 2, "hidden_filters": 4, **options})


def small_inputs(rng, size=(32, 64), latent_dim=None, edges=False):
    inputs = {"labels": rng.integers(0, 4, (2, *size)).astype("int32")}
    if edges:
        inputs["edges"] = rng.integers(0, 2, (2, *size)).astype("float32")
    if latent_dim:
        inputs["latent"] = rng.normal(size=(2, latent_dim)).astype("float32")
    return inputs


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# === Golden numbers ===


@pytest.mark.parametrize(
    "modulation",
    [pytest.param("patterns", marks=pytest.mark.slow_on("tensorflow")), "dense", "auto"],
)
@pytest.mark.parametrize("name", golden_names("generator_"))
def test_image_blocks_and_latent_grid_are_the_references(name, modulation):
    golden = load_golden(name)
    generator = golden_generator(golden, modulation=modulation)
    children = sorted(golden.below("out/block/"))
    ours = {child: child.removeprefix("G_") for child in children}
    assert set(ours.values()) >= {"fc", *BLOCKS}
    outputs = {child: generator.get_layer(layer).output for child, layer in ours.items()}
    probe = keras.Model(generator.input, {**outputs, "y": generator.output})
    got = at_once(probe)(golden_inputs(golden))
    assert relative_error(got["y"], channels_last(golden["out/y"])) < 1e-4
    width, height = golden["out/sw_sh"]
    assert generator.get_layer("head_0").input[0].shape[1:3] == (height, width)
    for child in children:
        want, block = golden[f"out/block/{child}"], to_numpy(got[child][:1])
        if want.ndim == 2:  # The dense layer, before its reshape to (channels, height, width).
            want = np.reshape(want, (1, -1, height, width))
            block = np.reshape(block, (1, height, width, -1))
        assert relative_error(block, channels_last(want)) < 1e-4, child


@pytest.mark.parametrize(
    "name", ["generator_normal_novae_crop96_round", "generator_normal_vae_inst_wide"]
)
def test_dense_conditioning_reads_the_float_map(name):
    golden = load_golden(name)
    generator = golden_generator(golden, "dense")
    image = at_once(generator)(golden_inputs(golden, "dense"))
    assert relative_error(image, channels_last(golden["out/y"])) < 1e-4


@pytest.mark.parametrize("dtype", ["uint8", "int64"])
def test_labels_may_be_of_any_integer_dtype(dtype):
    golden = load_golden("generator_normal_novae_crop96_round")
    inputs = golden_inputs(golden)
    inputs["labels"] = inputs["labels"].astype(dtype)
    image = at_once(golden_generator(golden))(inputs)
    assert relative_error(image, channels_last(golden["out/y"])) < 1e-4


def test_half_precision_stays_near_the_reference_and_paints_in_float32():
    golden = load_golden("generator_normal_novae_crop96_round")
    generator = golden_generator(golden, dtype="mixed_float16")
    assert {w.dtype for w in generator.weights} == {"float32"}
    assert generator.get_layer("up_3").output.dtype == "float16"
    image = at_once(generator)(golden_inputs(golden))
    assert keras.backend.standardize_dtype(image.dtype) == "float32"
    assert relative_error(image, channels_last(golden["out/y"])) < 2e-2


# === Sizes ===


@pytest.mark.parametrize(
    ("upsampling", "height", "width", "latent_dim"),
    [
        ("normal", 32, 96, None),
        pytest.param("normal", 64, 160, 3, marks=pytest.mark.slow_on("tensorflow")),
        ("more", 64, 192, 3),
        ("most", 128, 256, None),
    ],
)
def test_any_size_that_the_doublings_divide_works(upsampling, height, width, latent_dim, rng):
    generator = small_generator(
        image_shape=(height, width, 3), upsampling=upsampling, latent_dim=latent_dim
    )
    factor = FACTORS[upsampling]
    grid = (height // factor, width // factor, 32)
    assert generator.get_layer("head_0").input[0].shape[1:] == grid
    image = to_numpy(at_once(generator)(small_inputs(rng, (height, width), latent_dim)))
    assert image.shape == (2, height, width, 3)
    assert np.all(np.abs(image) <= 1.0)
    assert np.std(image) > 0


@pytest.mark.parametrize(
    ("upsampling", "size", "heights", "widths"),
    [
        ("normal", (100, 70), "96 or 128", "64 or 96"),
        ("normal", (64, 33), "64 or 96", "32 or 64"),
        ("more", (100, 224), "64 or 128", "192 or 256"),
        ("most", (300, 129), "256 or 384", "128 or 256"),
    ],
)
def test_other_sizes_are_refused_with_the_sizes_that_fit(upsampling, size, heights, widths):
    wanted = (
        f"`image_shape`: with upsampling='{upsampling}' height and width must be divisible by "
        f"{FACTORS[upsampling]}, got {size[0]} x {size[1]}. Valid heights: {heights}; "
        f"widths: {widths}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}$"):
        small_generator(image_shape=(*size, 3), upsampling=upsampling)


def test_errors_of_too_small_a_size_name_the_smallest():
    with pytest.raises(ValueError, match="Valid heights: 32; widths: 64 or 96"):
        small_generator(image_shape=(20, 70, 3))


# === Channels and parameters ===


@pytest.mark.parametrize(("void", "edges"), [(False, False), (True, False), (True, True)])
def test_void_and_edges_are_one_channel_each_in_every_spade(void, edges):
    generator = small_generator(
        num_classes=5, void_class=void, instance_edges=edges, kernel_size=5, hidden_filters=6
    )
    kernel = (5, 5, 5 + void + edges, 6)
    spades = [
        getattr(generator.get_layer(block), norm)
        for block in BLOCKS
        for norm in ("norm_0", "norm_1", "norm_s")
        if hasattr(generator.get_layer(block), norm)
    ]
    assert len(spades) == 7 * 2 + 4
    assert {tuple(spade.shared.kernel.shape) for spade in spades} == {kernel}
    assert tuple(generator.get_layer("fc").kernel.shape) == (3, 3, 5 + void + edges, 32)
    assert set(generator.input) == ({"labels", "edges"} if edges else {"labels"})


def parameters_of_the_paper(label_channels, latent_dim=None, base=64, hidden=128):
    """Trainable parameters at 256 x 256 and "normal" upsampling, layer by layer."""

    def conv(size, inputs, outputs):
        return size * size * inputs * outputs + outputs

    def spade(channels):
        return conv(3, label_channels, hidden) + 2 * conv(3, hidden, channels)

    def block(inputs, outputs):
        middle = min(inputs, outputs)
        main = spade(inputs) + conv(3, inputs, middle) + spade(middle) + conv(3, middle, outputs)
        return main if inputs == outputs else main + spade(inputs) + inputs * outputs

    if latent_dim is None:
        first = conv(3, label_channels, 16 * base)
    else:
        first = (latent_dim + 1) * 16 * base * 8 * 8
    widths = (16, 16, 16, 16, 8, 4, 2, 1)
    blocks = sum(block(a * base, b * base) for a, b in zip(widths, widths[1:], strict=False))
    return first + blocks + conv(3, base, 3)


def buffers_of_the_paper(base=64):
    """Other values: two moving statistics per SPADE channel, u and v per convolution."""
    widths, total = (16, 16, 16, 16, 8, 4, 2, 1), 0
    for a, b in zip(widths, widths[1:], strict=False):
        inputs, outputs, middle = a * base, b * base, min(a, b) * base
        total += 2 * (inputs + middle) + (9 * inputs + middle) + (9 * middle + outputs)
        if inputs != outputs:
            total += 2 * inputs + (inputs + outputs)
    return total


def test_full_size_generator_has_the_papers_parameters():
    # The reference prints "92.5 million" for 19 classes without void, edges and latent.
    assert round(parameters_of_the_paper(19) / 1e6, 1) == 92.5
    generator = SPADEGenerator(num_classes=182, void_class=True, instance_edges=True)
    count = sum(np.prod(w.shape, dtype=int) for w in generator.trainable_weights)
    assert count == parameters_of_the_paper(182 + 1 + 1, latent_dim=256)
    buffers = sum(np.prod(w.shape, dtype=int) for w in generator.non_trainable_weights)
    assert buffers == buffers_of_the_paper()


# === Config, files and summary ===

OPTIONS = [
    {"num_classes": 4, "image_shape": (32, 64, 3)},
    {
        "num_classes": 3,
        "image_shape": (128, 128, 3),
        "void_class": True,
        "instance_edges": True,
        "latent_dim": None,
        "base_filters": 2,
        "upsampling": "most",
        "norm": "batch",
        "kernel_size": 1,
        "hidden_filters": 4,
        "spectral_norm": False,
        "name": "painter",
    },
    {"num_classes": 3, "image_shape": (64, 64, 3), "conditioning": "dense", "norm": "instance"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=["defaults", "most", "dense"])
def test_config_rebuilds_the_generator(options, check_config):
    options = {"base_filters": 2, "hidden_filters": 4, **options}
    check_config(SPADEGenerator(**options), options)


@pytest.mark.parametrize(
    "policy", ["mixed_bfloat16", pytest.param("float64", marks=pytest.mark.slow_on("tensorflow"))]
)
@sixty_four_bits()
def test_config_keeps_the_dtype_policy(policy):
    generator = small_generator(dtype=policy)
    assert generator.get_layer("up_3").dtype_policy.name == policy
    assert generator.dtype_policy.name == policy
    rebuilt = SPADEGenerator.from_config(generator.get_config())
    assert rebuilt.dtype_policy.name == policy
    assert rebuilt.get_layer("up_3").dtype_policy.name == policy


def test_config_keeps_a_network_frozen(check_frozen_config):
    check_frozen_config(small_generator())


def test_constructor_leaves_its_arguments_alone():
    shape, policy = [32, 64, 3], keras.DTypePolicy("float32")
    generator = small_generator(image_shape=shape, dtype=policy)
    small_generator(image_shape=shape, dtype=policy)
    assert shape == [32, 64, 3]
    assert policy.name == "float32"
    shape[0] = 96
    assert generator.get_config()["image_shape"] == (32, 64, 3)


def test_keras_file_gives_the_same_bits(rng, check_saving):
    generator = small_generator(latent_dim=3, instance_edges=True)
    check_saving(generator, small_inputs(rng, latent_dim=3, edges=True))


@pytest.mark.slow
@only_on("tensorflow", "the saved models are its own")
def test_saved_model_of_keras_serves_the_same_floats(rng, check_export):
    generator = small_generator(latent_dim=3, instance_edges=True)
    inputs = small_inputs(rng, latent_dim=3, edges=True)
    check_export(generator, inputs, export=keras.Model.export)


def test_summary_lists_layers_and_parameters(check_summary):
    check_summary(small_generator(), ["fc", *BLOCKS, "conv_img", "labels"])


# === Errors ===


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upsampling": "max"}, "`upsampling` must be one of .*'most'.*, got 'max'"),
        ({"norm": "group"}, "`norm` must be one of .*'instance'.*, got 'group'"),
        ({"num_classes": 0}, "`num_classes` must be at least 1, got 0"),
        ({"conditioning": "rgb"}, '`conditioning` must be "labels" or "dense", got \'rgb\''),
        ({"conditioning": "dense", "void_class": True}, "`void_class` and .* must be False"),
        ({"conditioning": "dense", "instance_edges": True}, "`instance_edges` must be False"),
        ({"latent_dim": 0}, "`latent_dim` must be None or at least 1, got 0"),
        ({"base_filters": 0}, "`base_filters` must be at least 1.*got 0"),
        ({"base_filters": 2.5}, "`base_filters` must be at least 1.*got 2.5"),
        ({"kernel_size": 2}, "`kernel_size` must be odd and positive, got 2"),
        ({"image_shape": (32, 64)}, r"`image_shape` must be \(height.*got \(32, 64\)"),
        ({"image_shape": None}, r"`image_shape` must be \(height.*got None"),
        ({"image_shape": "big"}, r"`image_shape` must be \(height.*got 'big'"),
        (
            {"image_shape": (0, 64, 3)},
            r"`image_shape` must be .* positive integers, got \(0, 64, 3\)",
        ),
        ({"image_shape": (32, 32, 3), "norm": "instance"}, "instance norm of 1 x 1 maps"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small_generator(**options)


def test_most_needs_two_filters_for_its_last_block():
    with pytest.raises(ValueError, match="`base_filters` .* 2 with upsampling='most', got 1"):
        small_generator(base_filters=1, upsampling="most", image_shape=(128, 128, 3))


def test_unknown_arguments_are_refused():
    with pytest.raises((TypeError, ValueError), match="latent_dims"):
        small_generator(latent_dims=8)


def test_misshapen_inputs_are_refused_by_name(rng):
    generator = small_generator(latent_dim=3, instance_edges=True)
    inputs = small_inputs(rng, latent_dim=3, edges=True)
    with pytest.raises(ValueError, match="with name 'labels'"):
        generator({**inputs, "labels": inputs["labels"][0]})
    with pytest.raises(ValueError, match="with name 'labels'"):
        generator({**inputs, "labels": np.zeros((2, 32, 64, 4), "int32")})
    with pytest.raises(ValueError, match="with name 'edges'"):
        generator({**inputs, "edges": np.zeros((2, 32, 64, 2), "float32")})
    with pytest.raises(ValueError, match=r"'latent'.*expected shape=\(None, 3\).*\(2, 5\)"):
        generator({**inputs, "latent": np.zeros((2, 5), "float32")})
    with pytest.raises(ValueError, match='Missing data for input "edges"'):
        generator({key: inputs[key] for key in ("labels", "latent")})


def test_misshapen_float_maps_are_refused_by_name():
    generator = small_generator(conditioning="dense")
    with pytest.raises(ValueError, match="with name 'segmap'"):
        generator({"segmap": np.zeros((1, 32, 64), "float32")})
    with pytest.raises(ValueError, match=r"'segmap'.*found shape=\(1, 32, 64, 5\)"):
        generator({"segmap": np.zeros((1, 32, 64, 5), "float32")})


def test_float_labels_are_refused():
    generator = SPADEGenerator(4, (32, 32, 3), latent_dim=None, base_filters=1, hidden_filters=2)
    labels = np.zeros((1, 32, 32), "float32")
    with pytest.raises(ValueError, match="generator: `labels` must be integer ids, got dtype"):
        generator({"labels": labels})
