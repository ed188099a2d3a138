import json

import keras
import numpy as np
from support.frozen_block import FROZEN, LABELS, PARTS, STATISTICS, X, block, frozen, some_frozen

from keras_spade.layers import SPADE, SPADEResBlock


def test_parts_stay_frozen_in_copies():
    config = json.loads(json.dumps(some_frozen().get_config()))
    assert config["trainable_parts"] == PARTS
    assert SPADEResBlock.from_config(config).get_config() == config  # before it is built
    assert frozen(block(config)) - STATISTICS == FROZEN
    assert "trainable_parts" not in block().get_config()


def test_parts_stay_frozen_in_files_and_clones(tmp_path):
    x, labels = keras.Input(X.shape[1:]), keras.Input(LABELS.shape[1:], dtype="int32")
    model = keras.Model([x, labels], some_frozen()(x, labels))
    model.save(tmp_path / "model.keras")
    for copy in (
        keras.models.load_model(tmp_path / "model.keras"),
        keras.models.clone_model(model),
    ):
        assert frozen(copy.get_layer("block")) - STATISTICS == FROZEN


def test_what_is_frozen_before_it_is_built_is_frozen_in_all_its_parts():
    given = SPADEResBlock(3, hidden_filters=2, num_classes=4, trainable=False)
    frozen_layer = SPADE(hidden_filters=2, num_classes=4)
    frozen_layer.trainable = False
    for layer in (given, frozen_layer):
        layer.build(X.shape, LABELS.shape)
        assert not any(weight.trainable for weight in layer.weights)
        before = [np.array(weight) for weight in layer.weights]
        layer(X + 1.0, LABELS, training=True)
        for weight, then in zip(layer.weights, before, strict=True):
            np.testing.assert_array_equal(weight, then)
