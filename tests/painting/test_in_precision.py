import importlib

import pytest
from support.backends import BACKEND
from support.tiny_generator import TinyGenerator

from keras_spade.painting import in_precision

MODULE = importlib.import_module("keras_spade.painting.in_precision")


@pytest.mark.parametrize(
    ("cpu", "instructions", "policy", "want"),
    [
        (True, True, "float32", "mixed_bfloat16" if BACKEND == "tensorflow" else "float32"),
        (True, True, "mixed_float16", "mixed_float16"),
        (True, False, "float32", "float32"),
        (False, True, "float32", "float32"),
    ],
)
def test_bfloat16_where_a_cpu_computes_in_it(monkeypatch, cpu, instructions, policy, want):
    monkeypatch.setattr(MODULE, "on_cpu", lambda: cpu)
    monkeypatch.setattr(MODULE, "processor_has_bfloat16", lambda: instructions)
    generator = TinyGenerator(3, (32, 32, 3), dtype=policy)
    chosen = in_precision(generator)
    assert chosen.dtype_policy.name == want
    assert (chosen is generator) == (want == policy)
    assert in_precision(generator, "float32").dtype_policy.name == "float32"


def test_an_unknown_precision():
    with pytest.raises(ValueError, match="`precision` must be one of .*, got 'float16'"):
        in_precision(TinyGenerator(3, (32, 32, 3)), "float16")
