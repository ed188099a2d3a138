import json

import pytest
from support.frozen_block import FROZEN, PARTS, STATISTICS, block, frozen, some_frozen

from keras_spade.layers.trainable_parts import copy_trainable, set_trainable_parts, trainable_parts


def test_parts_are_those_that_differ_from_what_is_around_them():
    assert trainable_parts(block()) == {}
    layer = some_frozen()
    assert trainable_parts(layer) == PARTS
    assert frozen(layer) - STATISTICS == FROZEN
    layer.norm_s.beta.trainable = False
    layer.trainable = False
    assert trainable_parts(layer) == {} and frozen(layer) == {w.path[6:] for w in layer.weights}


def test_they_go_to_another_layer():
    layer = block()
    set_trainable_parts(layer, json.loads(json.dumps(PARTS)))
    assert frozen(layer) - STATISTICS == FROZEN
    other = block()
    other.trainable = False
    copy_trainable(layer, other)
    assert frozen(other) - STATISTICS == FROZEN
    with pytest.raises(ValueError, match="'block' has no part 'conv_0/kernel'"):
        set_trainable_parts(layer, {"conv_0/kernel": False})
