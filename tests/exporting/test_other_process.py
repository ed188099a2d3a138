import numpy as np
import pytest
from support.backends import not_on
from support.exports import make_generator, make_inputs, painted

pytestmark = [
    not_on("tensorflow", "it exports by itself"),
    pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter"),
]


@pytest.mark.slow
def test_the_file_paints_as_this_backend(tmp_path):
    tf = pytest.importorskip("tensorflow", reason="TensorFlow, which exports, is not installed")
    generator = make_generator(latent_dim=3, instance_edges=True)
    generator.export(tmp_path / "a.tflite", format="litert", verbose=False)
    inputs = make_inputs(generator)
    interpreter = tf.lite.Interpreter(str(tmp_path / "a.tflite"))
    image = interpreter.get_signature_runner()(**inputs)["image"]
    assert np.abs(image - painted(generator, inputs)[1]).max() <= 1
    assert [file.name for file in tmp_path.iterdir()] == ["a.tflite"]


@pytest.mark.slow
def test_its_errors_are_reported(tmp_path):
    pytest.importorskip("tensorflow", reason="TensorFlow, which exports, is not installed")
    generator = make_generator(latent_dim=None)
    with pytest.raises(RuntimeError, match="ValueError: .*optimisations"):
        generator.export(tmp_path / "a.tflite", format="litert", optimisations=[])
    assert not list(tmp_path.iterdir())


def test_options_travel_as_json(tmp_path):
    pytest.importorskip("tensorflow", reason="TensorFlow, which exports, is not installed")
    generator = make_generator(latent_dim=None)
    with pytest.raises(ValueError, match="options must be JSON.*KERAS_BACKEND=tensorflow"):
        generator.export(tmp_path / "a.tflite", format="litert", representative_dataset=iter([]))
