import re

import keras
import numpy as np
import pytest
from support.backends import at_once, only_on, sixty_four_bits
from support.golden_files import channels_last, golden_names, load_golden, relative_error
from support.harness import to_numpy

from keras_spade import StyleEncoder
from keras_spade.checkpoints import load_nvlabs_weights, nvlabs_weights

RESIZED = ("encoder_crop256_wide", "encoder_crop384_wide")


def golden_encoder(golden, **options):
    """The encoder of a golden file, with its weights; its latent has 256 numbers."""
    assert golden.config["norm"] == "spectralinstance"
    defaults = {"image_shape": (*golden["in/x"].shape[2:], 3), "base_filters": golden.config["ngf"]}
    encoder = StyleEncoder(**{**defaults, **options})
    load_nvlabs_weights(encoder, golden.below("state/"))
    return encoder


def small_encoder(**options):
    defaults = {"image_shape": (96, 128, 3), "latent_dim": 5, "base_filters": 2}
    return StyleEncoder(**{**defaults, **options})


def images(shape=(2, 96, 128, 3)):
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def bilinear(x, height, width):
    """Half-pixel centres, edges clamped, no anti-aliasing; (batch, h, w, channels)."""
    for axis, size in ((1, height), (2, width)):
        before = x.shape[axis]
        position = np.clip((np.arange(size) + 0.5) * before / size - 0.5, 0, before - 1)
        low = np.floor(position).astype(int)
        high = np.minimum(low + 1, before - 1)
        share = np.reshape(position - low, (1, -1, 1, 1) if axis == 1 else (1, 1, -1, 1))
        x = np.take(x, low, axis) * (1 - share) + np.take(x, high, axis) * share
    return x


# === Golden numbers ===


@pytest.mark.parametrize("name", golden_names("encoder_"))
def test_posterior_and_maps_are_the_references(name):
    golden = load_golden(name)
    encoder = golden_encoder(golden)
    layers = {f"layer{i}": encoder.get_layer(f"norm_{i - 1}").output for i in (4, 5, 6)}
    mean, log_variance = encoder.output
    probe = keras.Model(encoder.input, {**layers, "mu": mean, "logvar": log_variance})
    got = at_once(probe)(channels_last(golden["in/x"]))
    wanted = golden.below("out/eval/")
    assert set(wanted) == set(got)
    for key, want in wanted.items():
        want = channels_last(want) if want.ndim == 4 else want
        assert relative_error(got[key], want) < 1e-5, key


@pytest.mark.parametrize("name", golden_names("encoder_"))
def test_training_call_gives_the_references_posterior_and_buffers(name):
    golden = load_golden(name)
    encoder = golden_encoder(golden)
    mean, log_variance = at_once(encoder, training=True)(channels_last(golden["in/x"]))
    assert relative_error(mean, golden["out/train/mu"]) < 1e-5
    assert relative_error(log_variance, golden["out/train/logvar"]) < 1e-5
    after = nvlabs_weights(encoder)
    buffers = golden.below("out/train/state/")
    assert len(buffers) == 2 * 6
    for key, want in buffers.items():
        assert relative_error(after[key], want) < 1e-5, key


@pytest.mark.parametrize("name", RESIZED)
def test_images_are_resized_as_the_reference_does(name):
    golden = load_golden(name)
    encoder = golden_encoder(golden)
    resized = next(x for x in encoder.layers if isinstance(x, keras.layers.Resizing)).output
    got = to_numpy(keras.Model(encoder.input, resized)(channels_last(golden["in/x"])))[0]
    rows, columns = golden["out/resized_rows"], golden["out/resized_cols"]
    assert relative_error(got[::16], np.moveaxis(rows, 0, -1)) < 1e-5
    assert relative_error(got[:, ::16], np.moveaxis(columns, 0, -1)) < 1e-5


def test_half_precision_stays_near_the_reference_and_ends_in_float32():
    golden = load_golden("encoder_crop256_wide")
    encoder = golden_encoder(golden, dtype="mixed_float16")
    assert {w.dtype for w in encoder.weights} == {"float32"}
    assert encoder.get_layer("norm_5").output.dtype == "float16"
    mean, log_variance = encoder(channels_last(golden["in/x"]))
    for x in (mean, log_variance):
        assert keras.backend.standardize_dtype(x.dtype) == "float32"
    assert relative_error(mean, golden["out/eval/mu"]) < 2e-2
    assert relative_error(log_variance, golden["out/eval/logvar"]) < 2e-2


# === Image sizes ===


@pytest.mark.parametrize("size", [(96, 128), (40, 200), (1, 3)])
def test_images_below_256_are_enlarged(size):
    golden = load_golden("encoder_crop256_wide")
    image = images((2, *size, 3))
    got = golden_encoder(golden, image_shape=(*size, 3))(image)
    enlarged = bilinear(image.astype("float64"), 256, 256).astype("float32")
    want = golden_encoder(golden, image_shape=(256, 256, 3))(enlarged)
    for ours, theirs in zip(got, want, strict=True):
        assert np.all(np.isfinite(to_numpy(ours)))
        assert relative_error(ours, theirs) < 1e-4


@pytest.mark.parametrize(
    ("size", "resize_to", "grid"),
    [
        ((96, 128), (128, 128), (2, 2)),
        ((96, 128), (256, 256), (4, 4)),
        ((96, 128), None, (2, 2)),
        ((100, 321), None, (2, 6)),
        ((64, 65), None, (1, 2)),
        ((300, 20), (128, 320), (2, 5)),
    ],
)
def test_dense_layers_read_the_whole_last_map(size, resize_to, grid):
    encoder = small_encoder(image_shape=(*size, 3), resize_to=resize_to)
    assert encoder.get_layer("norm_5").output.shape == (None, *grid, 16)
    image = images((2, *size, 3))
    mean, log_variance = (to_numpy(x) for x in encoder(image))
    assert mean.shape == log_variance.shape == (2, 5)
    assert np.all(np.isfinite(mean)) and np.all(np.isfinite(log_variance))
    assert np.all(mean[0] != mean[1])
    assert np.all(mean != log_variance)


def test_oblong_maps_are_flattened_in_the_references_order():
    encoder = small_encoder(image_shape=(100, 321, 3), resize_to=None)
    probe = keras.Model(encoder.input, [encoder.get_layer("norm_5").output, *encoder.output])
    normalized, *posterior = (
        to_numpy(x).astype("float64") for x in probe(images((2, 100, 321, 3)))
    )
    activated = np.where(normalized > 0, normalized, 0.2 * normalized)
    flat = np.reshape(np.moveaxis(activated, -1, 1), (2, -1))
    weights = nvlabs_weights(encoder)
    for name, got in zip(("fc_mu", "fc_var"), posterior, strict=True):
        want = flat @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        assert relative_error(got, want) < 1e-5


@pytest.mark.parametrize("norm", ["batch", "sync_batch"])
def test_batch_norms_work_down_to_one_pixel(norm):
    encoder = small_encoder(image_shape=(32, 64, 3), resize_to=None, norm=norm)
    assert encoder.get_layer("norm_5").output.shape == (None, 1, 1, 16)
    posterior = encoder(images((2, 32, 64, 3)), training=True)
    assert all(np.all(np.isfinite(to_numpy(x))) for x in posterior)


def parameters_of_the_paper(base=64, latent_dim=256):
    """Trainable parameters: convolutions without bias, two dense layers on 4 x 4 maps."""
    widths = [3, base, 2 * base, 4 * base, 8 * base, 8 * base, 8 * base]
    convs = sum(9 * a * b for a, b in zip(widths, widths[1:], strict=False))
    return convs + 2 * (4 * 4 * 8 * base * latent_dim + latent_dim)


def test_full_size_encoder_has_the_papers_parameters():
    encoder = StyleEncoder()
    count = sum(np.prod(w.shape, dtype=int) for w in encoder.trainable_weights)
    assert count == parameters_of_the_paper()


# === Config, files and summary ===

OPTIONS = [
    {},
    {
        "image_shape": (96, 40, 3),
        "latent_dim": 7,
        "resize_to": (128, 96),
        "norm": "batch",
        "spectral_norm": False,
        "name": "reader",
    },
    {"image_shape": (96, 128, 3), "resize_to": None, "norm": "sync_batch"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=["defaults", "all", "not resized"])
def test_config_rebuilds_the_encoder(options, check_config):
    options = {"base_filters": 2, **options}
    check_config(StyleEncoder(**options), options)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
@sixty_four_bits()
def test_config_keeps_the_dtype_policy(policy):
    encoder = small_encoder(dtype=policy)
    assert encoder.get_layer("conv_1").layer.dtype_policy.name == policy
    assert encoder.dtype_policy.name == policy
    rebuilt = StyleEncoder.from_config(encoder.get_config())
    assert rebuilt.dtype_policy.name == policy
    assert rebuilt.get_layer("conv_1").layer.dtype_policy.name == policy


def test_config_keeps_a_network_frozen(check_frozen_config):
    check_frozen_config(small_encoder())


def test_constructor_leaves_its_arguments_alone():
    shape, resize_to = [96, 128, 3], [128, 96]
    encoder = small_encoder(image_shape=shape, resize_to=resize_to)
    small_encoder(image_shape=shape, resize_to=resize_to)
    assert (shape, resize_to) == ([96, 128, 3], [128, 96])
    shape[0] = resize_to[0] = 64
    assert encoder.get_config()["image_shape"] == (96, 128, 3)
    assert encoder.get_config()["resize_to"] == (128, 96)


def test_keras_file_gives_the_same_bits(check_saving):
    check_saving(small_encoder(norm="sync_batch", resize_to=(128, 128)), images())


@pytest.mark.slow_on("tensorflow")
@only_on("tensorflow", "the saved models are its own")
def test_saved_model_serves_the_same_posterior(check_export):
    check_export(small_encoder(resize_to=(128, 128)), images())


def test_summary_lists_layers_and_parameters(check_summary):
    layers = [f"{kind}_{i}" for kind in ("conv", "norm") for i in range(6)]
    check_summary(small_encoder(), [*layers, "mean", "log_variance"])


# === Errors ===


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"norm": "group"}, "`norm` must be one of .*'instance'.*, got 'group'"),
        ({"latent_dim": 0}, "`latent_dim` must be at least 1, got 0"),
        ({"base_filters": 0}, "`base_filters` must be at least 1, got 0"),
        ({"image_shape": (96, 128)}, r"`image_shape` must be \(height.*got \(96, 128\)"),
        (
            {"image_shape": (96, 0, 3)},
            r"`image_shape` must be .* positive integers, got \(96, 0, 3\)",
        ),
        ({"resize_to": (64, 64)}, "64 x 64 leave a 1 x 1 map.* more than 64 rows or columns"),
        (
            {"resize_to": None, "image_shape": (40, 64, 3)},
            "40 x 64 leave a 1 x 1 map.* more than 64 rows or columns",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        small_encoder(**options)


@pytest.mark.parametrize("resize_to", [128, (128,), (0, 128), "no", (128, 128, 3)])
def test_bad_sizes_to_resize_to_are_refused(resize_to):
    with pytest.raises(ValueError, match="`resize_to`.*" + re.escape(repr(resize_to))):
        small_encoder(resize_to=resize_to)


def test_unknown_arguments_are_refused():
    with pytest.raises((TypeError, ValueError), match="resize"):
        small_encoder(resize=(128, 128))


def test_misshapen_images_are_refused_by_name():
    encoder = small_encoder()
    for image in (np.zeros((96, 128, 3), "float32"), np.zeros((1, 96, 64, 3), "float32")):
        with pytest.raises(ValueError, match="'image'.*found shape=" + re.escape(str(image.shape))):
            encoder(image)
