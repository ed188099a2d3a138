import numpy as np
import pytest
from support.backends import only_on
from support.exports import assert_same, export_both, make_generator, make_inputs, painted

pytestmark = [
    pytest.mark.slow,
    only_on("tensorflow", "it writes and reads the files"),
    # TensorFlow's interpreter will move to a separate package.
    pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter"),
]


def interpreter_of(path):
    """The interpreter, with only LiteRT's own operations."""
    import tensorflow as tf

    resolver = tf.lite.experimental.OpResolverType.BUILTIN
    return tf.lite.Interpreter(str(path), experimental_op_resolver_type=resolver)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A generator with all possible inputs, and the interpreter of its LiteRT file."""
    generator = make_generator(latent_dim=3, instance_edges=True, void_class=True)
    path = tmp_path_factory.mktemp("litert") / "street.tflite"
    export_both(generator, path, format="litert")
    assert [file.name for file in path.parent.iterdir()] == ["street.tflite"]
    return generator, interpreter_of(path)


@pytest.mark.parametrize("batch", [1, 3])
def test_any_batch(case, batch):
    generator, interpreter = case
    inputs = make_inputs(generator, batch)
    painting = interpreter.get_signature_runner()(**inputs)
    assert_same(painting["image"], inputs, generator)
    np.testing.assert_allclose(painting["floats"], painted(generator, inputs)[0], atol=1e-4)


def test_one_signature_by_name(case):
    _, interpreter = case
    (signature,) = interpreter.get_signature_list().values()
    assert sorted(signature["inputs"]) == ["edges", "labels", "latent"]
    assert "image" in signature["outputs"]
    inputs = interpreter.get_signature_runner().get_input_details()
    assert inputs["labels"]["shape_signature"].tolist() == [-1, 32, 32]
    assert inputs["labels"]["dtype"] == np.int32


def test_ids_that_are_no_class_are_none(case):
    generator, interpreter = case
    inputs = make_inputs(generator)
    for row, outside in enumerate((-1, -5, 5, 255)):
        inputs["labels"][:, 4 * row : 4 * row + 4] = outside
    assert_same(interpreter.get_signature_runner()(**inputs)["image"], inputs, generator)


def test_other_sizes_and_options_of_the_converter(tmp_path):
    import tensorflow as tf

    generator = make_generator(latent_dim=None, image_shape=(64, 32, 3), hidden_filters=64)
    sizes = []
    for name, options in (("a", {}), ("b", {"optimizations": [tf.lite.Optimize.DEFAULT]})):
        path = tmp_path / f"{name}.tflite"
        generator.export(path, "litert", image_size=(40, 24), verbose=False, **options)
        sizes.append(path.stat().st_size)
    inputs = make_inputs(generator, 2, (40, 24))
    image = interpreter_of(tmp_path / "a.tflite").get_signature_runner()(**inputs)["image"]
    assert_same(image, inputs, generator)
    assert sizes[1] < 0.6 * sizes[0]
