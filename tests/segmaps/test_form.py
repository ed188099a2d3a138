import numpy as np
import pytest

from keras_spade.layers import LabelPatterns
from keras_spade.segmaps.form import Form, form_of


@pytest.mark.parametrize(("shape", "form"), [((1, 8, 6), Form.LABELS), ((1, 8, 6, 3), Form.MAP)])
def test_tensors_and_their_shapes(shape, form):
    assert form_of(np.zeros(shape, "int32")) is form_of(shape) is form_of(list(shape)) is form
    assert not form.has_patterns


def test_patterns_and_their_shapes():
    tensors = LabelPatterns(8, 6, 3, modulation="patterns")(np.zeros((1, 8, 6), "int32"))
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    assert form_of(tensors) is form_of(shapes) is Form.PATTERNS
    bounded = {"ids": (1, 8, 6), "fit": ()}
    assert form_of(shapes | bounded) is Form.BOUNDED_PATTERNS
    assert Form.PATTERNS.has_patterns and Form.BOUNDED_PATTERNS.has_patterns
