"""Files of earlier versions load, and training resumes from them bit for bit.

`tests/reference/make_golden_files.py` wrote them at commit e97a76b.
"""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support.backends import only_on
from support.earlier_gan import new_gan, paint
from support.golden_files import read_arrays

TESTS = Path(__file__).resolve().parents[1]
FILES = TESTS / "golden" / "files"


@pytest.fixture(scope="module")
def expected():
    return read_arrays(FILES / "expected.npz")


def test_a_model_paints_as_it_did(expected):
    gan = keras.models.load_model(FILES / "gan.keras")
    assert np.abs(paint(gan) - expected["model/painted"]).max() < 1e-5
    averages = paint(gan.averaged())
    assert np.abs(averages - expected["model/painted_by_averages"]).max() < 1e-5
    # The averages differ from the weights.
    assert np.abs(averages - paint(gan)).max() > 1e-3


@pytest.mark.slow_on("tensorflow")
def test_weights_paint_as_they_did(expected):
    gan = new_gan(keras.optimizers.SGD(1e-3))
    gan.load_weights(FILES / "gan.weights.h5")
    assert np.abs(paint(gan) - expected["weights/painted"]).max() < 1e-5


@pytest.mark.slow
@only_on("tensorflow", "the expected bits are TensorFlow's")
@pytest.mark.parametrize("way", ["model", "weights", "epochs", "arrays"])
def test_training_resumes_to_the_bit(expected, tmp_path, way):
    out = tmp_path / "found.npz"
    subprocess.run(
        [sys.executable, str(TESTS / "processes" / "go_on.py"), str(FILES), way, str(out)],
        env={**os.environ, "PYTHONPATH": str(TESTS.parent)},
        check=True,
        timeout=1800,
    )
    found = read_arrays(out)
    # On other processors, kernels may sum in another order; sums computed by Keras alone identify
    # the order on this one.
    same_machine = np.array_equal(found.pop("machine"), expected["machine"])
    print("the bits of the machine that wrote the files are", "" if same_machine else "not", "had")
    wanted = {
        name.removeprefix(f"{way}/"): value
        for name, value in expected.items()
        if name.startswith(f"{way}/")
    }
    assert found.keys() == wanted.keys() and len(wanted) >= 11
    # Arrays: the step's losses have the same bits, some sums in its gradient do not, for a reason
    # not found yet; Adam makes a step of what is zero up to them.
    exact = same_machine and way != "arrays"
    for name, want in wanted.items():
        if exact or name.startswith("loaded/") or (same_machine and name.startswith("loss/")):
            np.testing.assert_array_equal(found[name], want, err_msg=name, strict=True)
        elif not name.endswith("/bits"):
            np.testing.assert_allclose(found[name], want, rtol=1e-3, atol=1e-3, err_msg=name)
