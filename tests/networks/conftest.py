"""Checks that every network must pass."""

import inspect
import json

import keras
import numpy as np
import pytest
from support.backends import at_once


@pytest.fixture
def check_config():
    """Checks that a network's config contains its arguments, fits in JSON and rebuilds it."""

    def check(network, arguments):
        config = network.get_config()
        named = set(inspect.signature(type(network)).parameters) - {"kwargs"}
        assert named | {"trainable"} == set(config)
        assert {key: config[key] for key in arguments} == arguments
        rebuilt = type(network).from_config(json.loads(json.dumps(config)))
        assert rebuilt.get_config() == config
        assert _weight_list(rebuilt) == _weight_list(network)

    return check


@pytest.fixture
def check_frozen_config():
    """Checks that a frozen network stays frozen through its config."""

    def check(network):
        network.trainable = False
        rebuilt = type(network).from_config(network.get_config())
        assert not rebuilt.trainable
        assert rebuilt.trainable_weights == []

    return check


@pytest.fixture
def check_saving(tmp_path):
    """Checks that a network gives the same bits after a round trip through a `.keras` file."""

    def check(network, inputs):
        # Moves spectral norms and statistics away from their initial values.
        at_once(network, training=True)(inputs)
        want = _arrays(at_once(network)(inputs))
        network.save(tmp_path / "network.keras")
        loaded = keras.saving.load_model(tmp_path / "network.keras")
        assert type(loaded) is type(network)
        assert loaded.get_config() == network.get_config()
        got = _arrays(at_once(loaded)(inputs))
        assert len(got) == len(want)
        for ours, theirs in zip(got, want, strict=True):
            np.testing.assert_array_equal(ours, theirs)

    return check


@pytest.fixture
def check_export(tmp_path):
    """Checks that a network's SavedModel computes the same as the network, for any batch size."""

    def check(network, inputs, export=None):
        import tensorflow as tf

        (export or type(network).export)(network, tmp_path / "saved", verbose=False)
        served = tf.saved_model.load(str(tmp_path / "saved"))
        for batch in (inputs, keras.tree.map_structure(lambda x: x[:1], inputs)):
            want, got = _arrays(network(batch)), _arrays(served.serve(batch))
            assert len(got) == len(want)
            for ours, theirs in zip(got, want, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=5e-6)

    return check


@pytest.fixture
def check_summary():
    """Checks that a network's summary lists its layers and counts its weights."""

    def check(network, layers):
        lines = []
        network.summary(line_length=120, print_fn=lambda line, **_: lines.append(line))
        text = "\n".join(lines)
        assert f'"{network.name}"' in text
        for name in layers:
            assert name in text
        total = sum(array.size for array in network.get_weights())
        assert f"Total params: {total:,}" in text

    return check


def _weight_list(network):
    return [(w.path, tuple(w.shape), w.dtype, w.trainable) for w in network.weights]


def _arrays(outputs):
    return [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(outputs)]
