import keras
import numpy as np
import pytest
from support.backends import only_on, sixty_four_bits
from support.harness import to_numpy

from keras_spade import MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.layers import SPADE, HalfPool
from keras_spade.networks._settings import checked_policy

policies = keras.dtype_policies
SHAPE = (32, 32, 3)


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


def test_channels_first_is_refused_when_a_network_is_made(channels_first):
    makers = [
        lambda: SPADEGenerator(3, SHAPE),
        lambda: MultiScaleDiscriminator(3, SHAPE),
        lambda: StyleEncoder(SHAPE),
    ]
    for make in makers:
        with pytest.raises(ValueError, match=r'set_image_data_format\("channels_last"\)'):
            make()


def test_layers_do_not_mind_the_data_format(channels_first):
    x, labels = np.ones((1, 4, 6, 5), "float32"), np.zeros((1, 4, 6), "int32")
    for modulation in ("patterns", "dense"):
        spade = SPADE(num_classes=2, hidden_filters=3, modulation=modulation)
        assert tuple(spade(x, labels).shape) == (1, 4, 6, 5)
    np.testing.assert_allclose(HalfPool()(x), np.ones((1, 2, 3, 5)), rtol=1e-6)


def test_floatx_of_float16_is_refused():
    keras.config.set_floatx("float16")
    for dtype in (None, "float32"):
        with pytest.raises(ValueError, match=r'floatx\(\) is "float16".*mixed_bfloat16'):
            MultiScaleDiscriminator(3, SHAPE, dtype=dtype)


@pytest.mark.parametrize(
    "policy, message",
    [
        ("float16", "got 'float16'; for 16 bits use .*mixed_bfloat16"),
        ("int8_from_float32", "got 'int8_from_float32'; export the model"),
        ("float8_from_mixed_bfloat16", "got 'float8_from_mixed_bfloat16'; export the model"),
        (
            policies.DTypePolicyMap("float32", {"conv_0": policies.DTypePolicy("bfloat16")}),
            "one policy for all layers of a network, got a DTypePolicyMap",
        ),
    ],
)
def test_policies_that_cannot_be_are_refused(policy, message):
    with pytest.raises(ValueError, match=message):
        StyleEncoder(SHAPE, base_filters=1, dtype=policy)
    keras.config.set_dtype_policy(policy)
    with pytest.raises(ValueError, match=message):
        StyleEncoder(SHAPE, base_filters=1)


@pytest.mark.parametrize(
    "policy", ["float32", "mixed_bfloat16", "mixed_float16", "bfloat16", "float64"]
)
@sixty_four_bits()
def test_the_others_are_taken_in_any_form(policy):
    keras.config.set_dtype_policy(policy)
    for given in (None, policy, policies.DTypePolicy(policy)):
        assert checked_policy(given).name == policy


@only_on("jax", "the others have float64 at once")
def test_float64_is_refused_where_jax_has_none():
    with pytest.raises(ValueError, match="jax_enable_x64"):
        MultiScaleDiscriminator(3, SHAPE, dtype="float64")


@pytest.mark.parametrize(
    "make",
    [
        lambda **gain: SPADEGenerator(2, SHAPE, latent_dim=4, base_filters=2, **gain),
        lambda **gain: SPADEGenerator(2, SHAPE, latent_dim=None, base_filters=2, **gain),
        lambda **gain: MultiScaleDiscriminator(
            2, SHAPE, base_filters=2, fusion="projection", norm="spade", **gain
        ),
        lambda **gain: StyleEncoder((96, 96, 3), 4, 2, resize_to=None, **gain),
    ],
    ids=["generator", "without latent", "discriminator", "encoder"],
)
def test_the_initial_gain_scales_all_kernels(make):
    networks = []
    for gain in ({}, {"initial_gain": 1.0}):
        keras.utils.set_random_seed(0)
        networks.append(make(**gain))
    assert [network.initial_gain for network in networks] == [0.02, 1.0]
    for old, new in zip(*(network.weights for network in networks), strict=True):
        if old.path.endswith("conv_img/kernel"):
            continue  # See below.
        factor = 50.0 if old.path.endswith("kernel") else 1.0
        # Kernels over one-hot maps of two classes.
        factor *= 2**0.5 if old.path.endswith("shared/kernel") else 1.0
        np.testing.assert_allclose(to_numpy(new), factor * to_numpy(old), rtol=1e-3, atol=1e-5)
    assert type(networks[1]).from_config(networks[1].get_config()).initial_gain == 1.0


def test_pictures_start_grey_and_depend_on_the_label_map():
    generator = SPADEGenerator(3, SHAPE, latent_dim=None, base_filters=2, initial_gain=1.0)
    labels = np.random.default_rng(0).integers(0, 3, (2, *SHAPE[:2])).astype("int32")
    image = to_numpy(generator({"labels": labels}))
    assert np.ptp(image, axis=-1).max() < 1e-6
    as_authors = SPADEGenerator(3, SHAPE, latent_dim=None, base_filters=2)
    assert np.ptp(to_numpy(as_authors.get_layer("conv_img").kernel), axis=-1).min() > 0
    assert np.abs(image[0] - image[1]).mean() > 0.002
    kernel = to_numpy(generator.get_layer("conv_img").kernel)
    # Of 9 * 2 inputs and 9 * 3 outputs.
    assert kernel.std() == pytest.approx(0.2 * (2 / 45) ** 0.5, rel=0.5)
    layer = keras.layers.deserialize(keras.layers.serialize(generator.get_layer("conv_img")))
    assert np.ptp(to_numpy(layer.kernel), axis=-1).max() == 0 < np.ptp(to_numpy(layer.kernel))


@pytest.mark.parametrize("gain", [0, -1.0, float("nan"), float("inf"), True, "glorot", None])
def test_an_initial_gain_is_a_positive_number(gain):
    for make in (SPADE, lambda **options: SPADEGenerator(2, SHAPE, base_filters=1, **options)):
        with pytest.raises(ValueError, match="`initial_gain` must be a positive number"):
            make(initial_gain=gain)
