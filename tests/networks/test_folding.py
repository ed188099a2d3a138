"""`fold_spectral_norm` of the three networks."""

import keras
import numpy as np
import pytest
from support.backends import at_once, float64_throughout
from support.golden_files import relative_error
from support.harness import to_numpy

from keras_spade import MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.layers import SPADEResBlock, SpectralNorm

SIZE = (64, 96)
CONDITIONING = {"num_classes": 4, "image_shape": (*SIZE, 3)}
GENERATOR = {**CONDITIONING, "base_filters": 2, "hidden_filters": 4}
NETWORKS = {
    "generator": lambda **options: SPADEGenerator(**GENERATOR, latent_dim=3, **options),
    "generator_by_labels": lambda **options: SPADEGenerator(
        **GENERATOR, latent_dim=None, norm="instance", instance_edges=True, **options
    ),
    "discriminator": lambda **options: MultiScaleDiscriminator(
        **CONDITIONING, base_filters=3, norm="batch", instance_edges=True, **options
    ),
    "discriminator_of_maps": lambda **options: MultiScaleDiscriminator(
        **CONDITIONING, base_filters=3, num_scales=1, conditioning="dense", **options
    ),
    "encoder": lambda **options: StyleEncoder(
        (*SIZE, 3), 5, base_filters=2, resize_to=(128, 96), **options
    ),
}


def inputs_of(network, batch=2):
    """Random inputs of any network."""
    rng = np.random.default_rng(0)
    found = {
        "labels": rng.integers(0, 4, (batch, *SIZE)).astype("int32"),
        "edges": rng.integers(0, 2, (batch, *SIZE)).astype("float32"),
        "segmap": rng.random((batch, *SIZE, 4)).astype("float32"),
        "image": rng.uniform(-1, 1, (batch, *SIZE, 3)).astype("float32"),
        "latent": rng.normal(size=(batch, 3)).astype("float32"),
    }
    names = network.input
    return {name: found[name] for name in names} if isinstance(names, dict) else found["image"]


def trained(kind, **options):
    """A network with all weights moved away from their initial values, its folded copy, inputs."""
    network = NETWORKS[kind](**options)
    inputs = inputs_of(network)
    rng = np.random.default_rng(1)
    for weight in network.trainable_weights:
        spread = 0.2 if len(weight.shape) == 1 else 0.1
        weight.assign(weight + spread * rng.standard_normal(weight.shape))
    call = at_once(network, training=True)
    for _ in range(2):
        call(inputs)
    return network, network.fold_spectral_norm(), inputs


def outputs(network, inputs):
    return [to_numpy(y) for y in keras.tree.flatten(at_once(network)(inputs))]


def convolutions(block):
    return [getattr(block, f"conv_{part}", None) for part in ("0", "1", "s")]


def spectral_norms(network):
    """All spectral norms, including those inside blocks."""
    layers = [
        part
        for layer in network.layers
        for part in (convolutions(layer) if isinstance(layer, SPADEResBlock) else [layer])
    ]
    return [layer for layer in layers if isinstance(layer, SpectralNorm)]


SLOW = {"generator_by_labels": pytest.mark.slow_on("tensorflow")}


@pytest.fixture(
    scope="module", params=[pytest.param(kind, marks=SLOW.get(kind, ())) for kind in NETWORKS]
)
def case(request):
    """`trained`, for each kind of network in turn."""
    keras.utils.set_random_seed(0)
    return trained(request.param)


def test_outputs_are_equal_in_inference(case):
    network, folded, inputs = case
    assert len(spectral_norms(network)) >= 3 and not spectral_norms(folded)
    assert not any(weight.path.endswith(("/u", "/v")) for weight in folded.weights)
    wanted, found = outputs(network, inputs), outputs(folded, inputs)
    for got, want in zip(found, wanted, strict=True):
        assert relative_error(got, want) < 5e-6


def test_kernels_are_divided_by_their_sigma(case):
    network, folded, _ = case
    folded = {weight.path: to_numpy(weight) for weight in folded.weights}
    for wrapper in spectral_norms(network):
        kernel, u, v = (
            to_numpy(x).astype("float64") for x in (wrapper.kernel, wrapper.u, wrapper.v)
        )
        sigma = v @ kernel.reshape(-1, kernel.shape[-1]) @ u
        path = wrapper.kernel.path.replace("/conv/kernel", "/kernel")
        assert relative_error(folded.pop(path), kernel / sigma) < 2e-6
        if wrapper.layer.use_bias:
            np.testing.assert_array_equal(
                folded.pop(path.replace("kernel", "bias")), to_numpy(wrapper.layer.bias)
            )
    rest = {weight.path: to_numpy(weight) for weight in network.weights}
    for path, value in folded.items():
        np.testing.assert_array_equal(value, rest[path])


def test_the_network_itself_stays_as_it_is(case):
    network, _, inputs = case
    weights, before = network.get_weights(), outputs(network, inputs)
    folded = network.fold_spectral_norm()
    at_once(folded, training=True)(inputs)
    for weight in folded.trainable_weights:
        weight.assign(weight * 2.0)
    for now, then in zip(network.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, then)
    for now, then in zip(outputs(network, inputs), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert network.spectral_norm and not folded.spectral_norm
    assert folded.get_config() == {**network.get_config(), "spectral_norm": False}


@pytest.mark.parametrize("kind", ["discriminator", "encoder"])
def test_without_spectral_norm_it_is_a_copy(kind):
    network, folded, inputs = trained(kind, spectral_norm=False)
    for got, want in zip(outputs(folded, inputs), outputs(network, inputs), strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.slow_on("tensorflow")
@float64_throughout()
def test_float64_agrees_to_its_own_rounding():
    keras.config.set_floatx("float64")
    network, folded, inputs = trained("generator", dtype="float64")
    biases = {wrapper.layer.use_bias for wrapper in spectral_norms(network)}
    assert biases == {True, False}
    assert relative_error(outputs(folded, inputs)[0], outputs(network, inputs)[0]) < 1e-12


def test_folded_networks_are_saved_and_loaded(tmp_path):
    _, folded, inputs = trained("discriminator")
    folded.save(tmp_path / "folded.keras")
    loaded = keras.saving.load_model(tmp_path / "folded.keras")
    for got, want in zip(outputs(loaded, inputs), outputs(folded, inputs), strict=True):
        np.testing.assert_array_equal(got, want)
