import re

import keras
import numpy as np
import pytest
from support.backends import at_once, only_on, sixty_four_bits
from support.golden_files import channels_last, golden_names, load_golden, relative_error

from keras_spade import MultiScaleDiscriminator
from keras_spade.checkpoints import load_nvlabs_weights, nvlabs_weights

NORMS = {"syncbatch": "sync_batch", "batch": "batch", "instance": "instance"}
CASES = [
    (name, conditioning, modulation)
    for name in golden_names("discriminator_")
    for conditioning, modulation in [
        ("labels", "auto"),
        ("labels", "patterns"),
        ("labels", "dense"),
        ("dense", "auto"),
    ]
]


def golden_discriminator(golden, conditioning="labels", **options):
    """The discriminator of a golden file, with its weights."""
    config = golden.config
    if conditioning == "labels":
        options["num_classes"] = config["label_nc"]
        options["void_class"] = config["contain_dontcare_label"]
        options["instance_edges"] = not config["no_instance"]
    else:
        options["num_classes"] = config["semantic_nc"]
    discriminator = MultiScaleDiscriminator(
        image_shape=(*golden["in/x"].shape[2:], 3),
        base_filters=config["ndf"],
        num_scales=config["num_D"],
        num_layers=config["n_layers_D"],
        norm=NORMS[config["norm"].removeprefix("spectral")],
        conditioning=conditioning,
        **options,
    )
    load_nvlabs_weights(discriminator, golden.below("state/"))
    return discriminator


def golden_inputs(golden, conditioning="labels"):
    """The inputs of a golden file, whose last three channels are the image."""
    segmap, image = np.split(channels_last(golden["in/x"]), [-3], axis=-1)
    if conditioning == "dense":
        return {"segmap": segmap, "image": image}
    one_hot, edges = np.split(segmap, [segmap.shape[-1] - (not golden.config["no_instance"])], -1)
    np.testing.assert_array_equal(np.sum(one_hot, -1), 1.0)
    inputs = {"labels": np.argmax(one_hot, -1).astype("int32"), "image": image}
    if edges.size:
        inputs["edges"] = edges[..., 0]
    return inputs


def small_discriminator(**options):
    defaults = {"num_classes": 4, "image_shape": (32, 48, 3), "base_filters": 2}
    return MultiScaleDiscriminator(**{**defaults, **options})


def small_inputs(rng, size=(32, 48), edges=False):
    inputs = {
        "labels": rng.integers(0, 4, (2, *size)).astype("int32"),
        "image": rng.uniform(-1, 1, (2, *size, 3)).astype("float32"),
    }
    if edges:
        inputs["edges"] = rng.integers(0, 2, (2, *size)).astype("float32")
    return inputs


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# === Golden numbers ===


@pytest.mark.parametrize(("name", "conditioning", "modulation"), CASES)
def test_every_feature_is_the_references(name, conditioning, modulation):
    golden = load_golden(name)
    discriminator = golden_discriminator(golden, conditioning, modulation=modulation)
    scales = at_once(discriminator)(golden_inputs(golden, conditioning))
    assert len(scales) == golden.config["num_D"]
    for i, features in enumerate(scales):
        wanted = golden.below(f"out/eval/scale{i}/feat")
        assert len(features) == len(wanted) == golden.config["n_layers_D"] + 1
        for j, feature in enumerate(features):
            assert relative_error(feature, channels_last(wanted[str(j)])) < 1e-5, (i, j)


@pytest.mark.parametrize(("name", "conditioning", "modulation"), CASES)
def test_training_call_gives_the_references_logits_and_buffers(name, conditioning, modulation):
    golden = load_golden(name)
    discriminator = golden_discriminator(golden, conditioning, modulation=modulation)
    scales = at_once(discriminator, training=True)(golden_inputs(golden, conditioning))
    last = golden.config["n_layers_D"]
    for i, features in enumerate(scales):
        want = channels_last(golden[f"out/train/scale{i}/feat{last}"])
        assert relative_error(features[-1], want) < 1e-5, i
    after = nvlabs_weights(discriminator)
    buffers = golden.below("out/train/state/")
    buffers = {k: v for k, v in buffers.items() if not k.endswith("num_batches_tracked")}
    assert len(buffers) >= 2 * 3 * golden.config["num_D"]
    for key, want in buffers.items():
        assert relative_error(after[key], want) < 1e-5, key


@pytest.mark.parametrize("name", golden_names("discriminator_"))
def test_scales_are_averages_that_do_not_count_the_padding(name):
    golden = load_golden(name)
    discriminator = golden_discriminator(golden)
    pooled = keras.Model(discriminator.input, discriminator.get_layer("pool_1").output)
    want = channels_last(golden["out/downsampled_input"])[..., -3:]  # The image's part.
    assert relative_error(pooled(golden_inputs(golden)), want) < 1e-6


def test_half_precision_stays_near_the_reference_and_judges_in_float32():
    golden = load_golden("discriminator_square")
    discriminator = golden_discriminator(golden, dtype="mixed_float16")
    assert {w.dtype for w in discriminator.weights} == {"float32"}
    for i, features in enumerate(discriminator(golden_inputs(golden))):
        dtypes = [keras.backend.standardize_dtype(f.dtype) for f in features]
        assert dtypes == ["float16"] * 4 + ["float32"]
        for j, feature in enumerate(features):
            want = channels_last(golden[f"out/eval/scale{i}/feat{j}"])
            assert relative_error(feature, want) < 2e-2, (i, j)


# === Structure ===


def patch_sizes(size, num_layers):
    """Sizes of one scale's features: padding 2 and kernel size 4 add one at stride 1."""
    sizes = []
    for stride in [2] * max(num_layers - 1, 1) + [1] * (num_layers > 1) + [1]:
        size = (size + 2 * 2 - 4) // stride + 1
        sizes.append(size)
    return sizes


def test_sizes_at_256_are_the_references():
    assert patch_sizes(256, 4) == [129, 65, 33, 34, 35]
    discriminator = small_discriminator(image_shape=(256, 256, 3))
    assert [f.shape[1] for f in discriminator.output[0]] == [129, 65, 33, 34, 35]


@pytest.mark.parametrize(("num_scales", "num_layers"), [(2, 1), (3, 3), (2, 5)])
@pytest.mark.parametrize("size", [(64, 96), (57, 70)])
def test_scales_layers_and_sizes(num_scales, num_layers, size, rng):
    discriminator = small_discriminator(
        image_shape=(*size, 3), num_scales=num_scales, num_layers=num_layers, base_filters=3
    )
    scales = discriminator(small_inputs(rng, size))
    assert len(scales) == num_scales
    height, width = size
    for features in scales:
        rows, columns = patch_sizes(height, num_layers), patch_sizes(width, num_layers)
        channels = [3 * 2**i for i in range(num_layers)] + [1]
        want = [(2, h, w, c) for h, w, c in zip(rows, columns, channels, strict=True)]
        assert [tuple(f.shape) for f in features] == want
        height, width = (height + 1) // 2, (width + 1) // 2


def test_one_scale_is_a_list_of_one_scale_too(rng):
    discriminator = small_discriminator(num_scales=1)
    scales = discriminator(small_inputs(rng))
    assert len(scales) == 1
    assert [feature.shape[-1] for feature in scales[0]] == [2, 4, 8, 16, 1]


def test_filters_stop_at_512():
    discriminator = small_discriminator(base_filters=256, num_scales=1)
    channels = [f.shape[-1] for f in discriminator.output[0]]
    assert channels == [256, 512, 512, 512, 1]


def test_scales_share_no_weights(rng):
    discriminator = small_discriminator()
    for index in range(5):
        first, second = (discriminator.get_layer(f"scale_{i}_conv_{index}") for i in (0, 1))
        assert not {id(w) for w in first.weights} & {id(w) for w in second.weights}
        assert np.any(first.get_weights()[0] != second.get_weights()[0])


@pytest.mark.parametrize(("void", "edges"), [(False, False), (True, False), (True, True)])
def test_void_and_edges_are_one_channel_each(void, edges):
    discriminator = small_discriminator(void_class=void, instance_edges=edges)
    for scale in (0, 1):
        kernel = discriminator.get_layer(f"scale_{scale}_conv_0").kernel
        assert tuple(kernel.shape) == (4, 4, 4 + void + edges + 3, 2)


def parameters_of_the_paper(input_channels, base=64, num_scales=2):
    """Trainable parameters, layer by layer; a bias only if no norm follows."""
    first = 4 * 4 * input_channels * base + base
    middle = 4 * 4 * (base * 2 * base + 2 * base * 4 * base + 4 * base * 8 * base)
    last = 4 * 4 * 8 * base + 1
    return num_scales * (first + middle + last)


def test_full_size_discriminator_has_the_papers_parameters():
    # The reference prints "5.6 million" for 19 classes without void and edges.
    assert round(parameters_of_the_paper(19 + 3) / 1e6, 1) == 5.6
    discriminator = MultiScaleDiscriminator(num_classes=182, void_class=True, instance_edges=True)
    count = sum(np.prod(w.shape, dtype=int) for w in discriminator.trainable_weights)
    assert count == parameters_of_the_paper(182 + 1 + 1 + 3)
    buffers = sum(np.prod(w.shape, dtype=int) for w in discriminator.non_trainable_weights)
    widths = [(64, 128), (128, 256), (256, 512)]
    assert buffers == 2 * sum(16 * inputs + outputs for inputs, outputs in widths)


# === Label maps by projection, and SPADE ===


def random_weights(network):
    rng = np.random.default_rng(5)
    for weight in network.trainable_weights:
        weight.assign(0.3 * rng.standard_normal(weight.shape))


def nearest(maps, height, width):
    rows = np.arange(height) * maps.shape[1] // height
    columns = np.arange(width) * maps.shape[2] // width
    return maps[:, rows][:, :, columns]


@pytest.mark.parametrize("modulation", ["patterns", "dense"])
def test_projection_is_the_inner_product_with_the_labels_row(modulation, rng):
    options = {"instance_edges": True, "num_scales": 1, "num_layers": 2, "modulation": modulation}
    discriminator = small_discriminator(fusion="projection", **options)
    random_weights(discriminator)
    inputs = small_inputs(rng, edges=True)
    inputs["image"] = rng.uniform(-1, 1, (4, 32, 48, 3)).astype("float32")  # two of each map
    # Only the logits depend on the label maps.
    assert discriminator.get_layer("scale_0_conv_0").kernel.shape == (4, 4, 3, 2)
    ((*features, got),) = discriminator(inputs)
    phi = np.array(features[-1])
    height, width = phi.shape[1:3]
    assert (height, width) == (18, 26)
    labels, edges = (nearest(inputs[name], height, width) for name in ("labels", "edges"))
    table = np.array(discriminator.get_layer("scale_0_projection").kernel)[0, 0]
    assert table.shape == (4 + 1, 4)
    rows = table[labels] + edges[..., None] * table[4]
    product = np.pad(np.sum(np.tile(rows, (2, 1, 1, 1)) * phi, axis=-1), [(0, 0), (1, 1), (1, 1)])
    mean = sum(product[:, i : i + height + 1, j : j + width + 1] for i in (0, 1) for j in (0, 1))
    conv = discriminator.get_layer("scale_0_conv_2")
    plain = np.array(conv(np.pad(phi, [(0, 0), (2, 2), (2, 2), (0, 0)])))
    want = plain + mean[..., None] / 4
    assert relative_error(got, want) < 1e-5
    assert relative_error(plain, want) > 0.1


def test_spades_give_each_image_its_own_label_map(rng):
    options = {"norm": "spade", "hidden_filters": 3, "num_scales": 1, "num_layers": 3}
    discriminator = small_discriminator(modulation="dense", **options)
    random_weights(discriminator)
    inputs = small_inputs(rng)
    both = {**inputs, "image": np.concatenate([inputs["image"], -inputs["image"]])}
    (together,) = discriminator(both)
    (second,) = discriminator({**inputs, "image": -inputs["image"]})
    for got, want in zip(together, second, strict=True):
        assert relative_error(got[2:], np.array(want)) < 1e-5
    # The features after the first SPADE are those of `SPADE` on the convolution before it.
    spade = discriminator.get_layer("scale_0_norm_1")
    before = keras.Model(discriminator.input, discriminator.get_layer("scale_0_conv_1").output)
    want = spade(before(inputs), inputs["labels"])
    want = np.where(np.array(want) > 0, want, 0.2 * np.array(want))
    assert relative_error(together[1][:2], want) < 1e-5
    patterns = small_discriminator(modulation="patterns", **options)
    patterns.set_weights(discriminator.get_weights())
    assert relative_error(patterns(both)[0][-1], np.array(together[-1])) < 1e-5


def test_weights_of_projection_and_spade():
    common = {"instance_edges": True, "num_scales": 1, "num_layers": 3, "base_filters": 4}

    def count(**options):
        network = small_discriminator(**common, **options)
        return sum(int(np.prod(w.shape)) for w in network.trainable_weights)

    plain = 4 * 4 * ((4 + 1 + 3) * 4 + 4 * 8 + 8 * 16 + 16) + 4 + 1
    assert count() == plain
    assert count(fusion="projection") == plain - 4 * 4 * (4 + 1) * 4 + (4 + 1) * 16
    spades = 2 * ((4 + 1) * 9 * 6 + 6) + sum(2 * (6 * 9 * filters + filters) for filters in (8, 16))
    assert count(norm="spade", hidden_filters=6) == plain + spades


# === Config, files and summary ===

OPTIONS = [
    {"num_classes": 4},
    {
        "num_classes": 3,
        "image_shape": (40, 24, 3),
        "void_class": True,
        "instance_edges": True,
        "num_scales": 3,
        "num_layers": 2,
        "norm": "batch",
        "spectral_norm": False,
        "name": "judge",
    },
    {"num_classes": 3, "conditioning": "dense", "norm": "sync_batch"},
    {"num_classes": 3, "norm": "spade", "fusion": "projection", "hidden_filters": 3},
]


@pytest.mark.parametrize("options", OPTIONS, ids=["defaults", "all", "dense", "spade"])
def test_config_rebuilds_the_discriminator(options, check_config):
    options = {"base_filters": 2, **options}
    check_config(MultiScaleDiscriminator(**options), options)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
@sixty_four_bits()
def test_config_keeps_the_dtype_policy(policy):
    discriminator = small_discriminator(dtype=policy)
    assert discriminator.get_layer("scale_0_conv_1").layer.dtype_policy.name == policy
    assert discriminator.dtype_policy.name == policy
    rebuilt = MultiScaleDiscriminator.from_config(discriminator.get_config())
    assert rebuilt.dtype_policy.name == policy
    assert rebuilt.get_layer("scale_0_conv_1").layer.dtype_policy.name == policy


def test_config_keeps_a_network_frozen(check_frozen_config):
    check_frozen_config(small_discriminator())


def test_constructor_leaves_its_arguments_alone():
    shape = [32, 48, 3]
    discriminator = small_discriminator(image_shape=shape)
    small_discriminator(image_shape=shape)
    assert shape == [32, 48, 3]
    shape[0] = 64
    assert discriminator.get_config()["image_shape"] == (32, 48, 3)


def test_keras_file_gives_the_same_bits(rng, check_saving):
    discriminator = small_discriminator(norm="sync_batch", instance_edges=True)
    check_saving(discriminator, small_inputs(rng, edges=True))


def test_keras_file_of_projection_and_spades(rng, check_saving):
    options = {"fusion": "projection", "norm": "spade", "hidden_filters": 3, "num_layers": 3}
    check_saving(small_discriminator(**options), small_inputs(rng))


@pytest.mark.slow_on("tensorflow")
@only_on("tensorflow", "the saved models are its own")
def test_saved_model_serves_the_same_features(rng, check_export):
    check_export(small_discriminator(instance_edges=True), small_inputs(rng, edges=True))


def test_summary_lists_layers_and_parameters(check_summary):
    layers = [f"scale_{i}_conv_{j}" for i in (0, 1) for j in range(5)]
    check_summary(small_discriminator(), [*layers, "pool_1"])


# === Errors ===


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fusion": "add"}, "`fusion` must be one of .*'projection'.*, got 'add'"),
        ({"hidden_filters": 0}, "`hidden_filters` must be at least 1, got 0"),
        ({"norm": "group"}, "`norm` must be one of .*'instance'.*, got 'group'"),
        ({"num_classes": 0}, "`num_classes` must be at least 1, got 0"),
        ({"base_filters": 0}, "`base_filters` must be at least 1, got 0"),
        ({"num_scales": 0}, "`num_scales` must be at least 1, got 0"),
        ({"num_layers": 0}, "`num_layers` must be at least 1, got 0"),
        ({"conditioning": "rgb"}, '`conditioning` must be "labels" or "dense", got \'rgb\''),
        ({"conditioning": "dense", "void_class": True}, "`void_class` and .* must be False"),
        ({"conditioning": "dense", "instance_edges": True}, "`instance_edges` must be False"),
        ({"image_shape": (32, 48)}, r"`image_shape` must be \(height.*got \(32, 48\)"),
        (
            {"image_shape": (32, -1, 3)},
            r"`image_shape` must be .* positive integers, got \(32, -1, 3\)",
        ),
        ({"image_shape": (2, 2, 3)}, "instance norm of 1 x 1 maps"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small_discriminator(**options)


def test_unknown_arguments_are_refused():
    with pytest.raises((TypeError, ValueError), match="num_scale"):
        small_discriminator(num_scale=3)


def test_misshapen_inputs_are_refused_by_name(rng):
    discriminator = small_discriminator()
    inputs = small_inputs(rng)
    with pytest.raises(ValueError, match="with name 'labels'"):
        discriminator({**inputs, "labels": inputs["labels"][0]})
    with pytest.raises(ValueError, match="'image'.*" + re.escape("shape=(32, 48, 3)")):
        discriminator({**inputs, "image": inputs["image"][0]})
    with pytest.raises(ValueError, match="'image'.*" + re.escape("shape=(2, 16, 48, 3)")):
        discriminator({**inputs, "image": inputs["image"][:, :16]})
    with pytest.raises(ValueError, match='Missing data for input "image"'):
        discriminator({"labels": inputs["labels"]})
