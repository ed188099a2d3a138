import numpy as np
import pytest
from support.backends import only_on
from support.exports import assert_same, make_generator, make_inputs
from support.tiny_gan import tiny_batch, tiny_gan

pytestmark = only_on("tensorflow", "it reads the folders")


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A generator with all possible inputs, and its SavedModel in a new folder."""
    import tensorflow as tf

    generator = make_generator(latent_dim=3, instance_edges=True, void_class=True)
    folder = tmp_path_factory.mktemp("exports") / "street" / "1"
    generator.export(folder, verbose=False)
    return generator, folder, tf.saved_model.load(str(folder))


@pytest.mark.slow
@pytest.mark.parametrize(("batch", "size"), [(1, (32, 32)), (3, (32, 32)), (2, (50, 37))])
def test_any_batch_and_any_size(case, batch, size):
    generator, _, served = case
    inputs = make_inputs(generator, batch, size)
    assert_same(served.serve(inputs)["image"].numpy(), inputs, generator)


def test_endpoints_take_inputs_by_name(case):
    import tensorflow as tf

    generator, folder, served = case
    inputs = make_inputs(generator)
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    for endpoint in (served.serve, served.signatures["serving_default"]):
        assert_same(endpoint(**tensors)["image"].numpy(), inputs, generator)
    assert sorted(served.signatures) == ["serve", "serving_default"]
    _, specs = served.signatures["serving_default"].structured_input_signature
    assert {name: (spec.shape.as_list(), spec.dtype) for name, spec in specs.items()} == {
        "labels": ([None, None, None], tf.int32),
        "edges": ([None, None, None], tf.float32),
        "latent": ([None, 3], tf.float32),
    }
    assert [path.name for path in folder.parent.iterdir()] == ["1"]


def test_ids_that_are_no_class_are_none(case):
    generator, _, served = case
    inputs = make_inputs(generator)
    for row, outside in enumerate((-1, -5, 5, 255)):
        inputs["labels"][:, 4 * row : 4 * row + 4] = outside
    image = served.serve(inputs)["image"].numpy()
    assert_same(image, inputs, generator)
    inputs["labels"][:, :16] = 5
    np.testing.assert_array_equal(image, served.serve(inputs)["image"])


def operations(served):
    functions = served.signatures["serve"].graph.as_graph_def().library.function
    return {node.op for function in functions for node in function.node_def}


def test_patterns_stay_and_spectral_norm_goes(case):
    _, _, served = case
    assert "Unique" in operations(served)
    names = {variable.name for variable in served.variables}
    assert len(names) > 50 and not any("vector" in name or "/u" in name for name in names)


@pytest.mark.slow
def test_dense_and_of_one_size(case, tmp_path):
    import tensorflow as tf

    generator, _, _ = case
    generator.export(tmp_path / "dense", verbose=False, image_size=(16, 48), modulation="dense")
    dense = tf.saved_model.load(str(tmp_path / "dense"))
    assert "Unique" not in operations(dense)
    inputs = make_inputs(generator, size=(16, 48))
    assert_same(dense.serve(inputs)["image"].numpy(), inputs, generator)
    with pytest.raises((ValueError, TypeError), match="labels"):
        dense.serve(make_inputs(generator))


@pytest.mark.slow
@pytest.mark.parametrize("when", ["built", "generated", "trained", "loaded", "averaged"])
def test_a_gan_at_any_time(tmp_path, when):
    import keras
    import tensorflow as tf

    from keras_spade.optimizers import BiasCorrectedAdam

    options = {}
    if when == "averaged":
        options["generator_optimizer"] = BiasCorrectedAdam(0.05, use_ema=True, ema_momentum=0.5)
    gan = tiny_gan(dtype="mixed_bfloat16" if when == "trained" else None, **options)
    labels, latent = tiny_batch()["labels"], np.ones((2, 2), "float32")
    if when == "generated":
        gan.generate(labels)
    elif when != "built":
        for seed in range(3):
            gan.train_on_batch(tiny_batch(seed=seed))
    if when == "loaded":
        gan.save(tmp_path / "gan.keras")
        gan = keras.models.load_model(tmp_path / "gan.keras")
    gan.export(tmp_path / "gan", verbose=False)
    inputs = {"labels": tf.constant(labels, tf.int32), "latent": tf.constant(latent)}
    served = tf.saved_model.load(str(tmp_path / "gan"))
    got = served.serve(inputs)["image"].numpy()
    source = gan.averaged() if when == "averaged" else gan
    want = source.generate(labels, latent=latent)
    assert np.abs(got.astype(int) - want).max() <= 1
