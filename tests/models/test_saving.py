"""`.keras` files: another process resumes training bit for bit."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from support.golden_files import read_arrays

import keras_spade  # noqa: F401  (registers the classes)

CONTINUE = """
import sys
import keras, numpy as np, keras_spade, support.tiny_generator
folder = sys.argv[1]
with np.load(folder + "/batch.npz") as arrays:
    batch = dict(arrays)
gan = keras.models.load_model(folder + "/gan.keras")
images = gan.generate(batch["labels"], seed=5)
floats = gan.predict(
    {"labels": batch["labels"], "latent": np.ones((6, 8), "float32")}, verbose=0
)
history = gan.fit(batch, batch_size=2, epochs=1, shuffle=False, verbose=0).history
weights = {f"weight{i}": np.array(w) for i, w in enumerate(gan.weights)}
slots = gan.generator_optimizer.variables + gan.discriminator_optimizer.variables
slots = {f"slot{i}": np.array(v) for i, v in enumerate(slots)}
losses = {"loss " + k.replace("/", " "): np.array(v) for k, v in history.items()}
np.savez(folder + "/after.npz", images=images, floats=floats, **weights, **slots, **losses)
"""


@pytest.fixture
def trained(make_gan, batch):
    gan = make_gan(encoder=True, run_eagerly=False)
    del batch["instances"]
    gan.fit(batch, batch_size=2, epochs=1, shuffle=False, verbose=0)
    return gan, batch


@pytest.mark.slow
def test_another_process_continues_to_the_bit(trained, tmp_path):
    gan, batch = trained
    gan.save(tmp_path / "gan.keras")
    np.savez(tmp_path / "batch.npz", **batch)
    root = str(Path(keras_spade.__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", CONTINUE, str(tmp_path)],
        check=True,
        cwd=root,
        timeout=300,
        env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root}/tests"},
    )
    theirs = read_arrays(tmp_path / "after.npz")

    images = gan.generate(batch["labels"], seed=5)
    data = {"labels": batch["labels"], "latent": np.ones((6, 8), "float32")}
    assert np.array_equal(theirs["images"], images)
    assert np.array_equal(theirs["floats"], gan.predict(data, verbose=0))
    history = gan.fit(batch, batch_size=2, epochs=1, shuffle=False, verbose=0).history
    for i, weight in enumerate(gan.weights):
        assert np.array_equal(theirs[f"weight{i}"], np.array(weight)), weight.path
    slots = gan.generator_optimizer.variables + gan.discriminator_optimizer.variables
    assert len(slots) > 2 * len(gan.trainable_variables)
    for i, slot in enumerate(slots):
        assert np.array_equal(theirs[f"slot{i}"], np.array(slot)), slot.path
    for name, values in history.items():
        assert theirs["loss " + name.replace("/", " ")] == values


def test_compile_arguments_come_back(make_gan, tmp_path):
    gan = make_gan(encoder=True, compiled=False)
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(3e-4, beta_1=0.5),
        adversarial_loss="wasserstein",
        feature_matching_weight=2.0,
        perceptual_loss=None,
        kl_weight=0.5,
        kl_reduction="mean",
    )
    gan.generator_optimizer.learning_rate = 1e-5  # as a schedule leaves it
    gan.save(tmp_path / "gan.keras")
    twin = keras.models.load_model(tmp_path / "gan.keras")
    assert twin.adversarial_loss.kind == "wasserstein"
    assert (twin.feature_matching_weight, twin.kl_weight) == (2.0, 0.5)
    assert twin.kl_reduction == "mean" and twin.perceptual_loss is None
    assert isinstance(twin.generator_optimizer, keras.optimizers.Adam)
    assert twin.generator_optimizer.get_config()["beta_1"] == 0.5
    assert float(twin.generator_optimizer.learning_rate) == pytest.approx(1e-5)
    assert twin.initial_learning_rates == pytest.approx((3e-4, 4e-4))
    twin.optimizer.learning_rate = 3e-5
    assert float(twin.discriminator_optimizer.learning_rate) == pytest.approx(4e-5)


def test_uncompiled_models_save_too(make_gan, batch, tmp_path):
    gan = make_gan(compiled=False)
    gan.save(tmp_path / "gan.keras")
    twin = keras.models.load_model(tmp_path / "gan.keras")
    assert not twin.compiled
    labels = batch["labels"]
    assert np.array_equal(twin.generate(labels), gan.generate(labels))


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras, before its error
def test_weights_files(make_gan, batch, tmp_path):
    gan = make_gan(encoder=True)
    gan.train_on_batch({key: batch[key] for key in ("labels", "image")})
    gan.save_weights(tmp_path / "gan.weights.h5")
    twin = make_gan(encoder=True, seed=99)
    twin.load_weights(tmp_path / "gan.weights.h5")
    assert np.array_equal(twin.generate(batch["labels"]), gan.generate(batch["labels"]))
    with pytest.raises(ValueError, match="shape|expected"):
        make_gan(encoder=True, num_classes=4).load_weights(tmp_path / "gan.weights.h5")


def test_the_perceptual_loss_comes_back_from_its_file(make_gan, tmp_path):
    vgg = keras.applications.VGG19(include_top=False, weights=None)
    vgg.save_weights(tmp_path / "vgg.weights.h5")
    gan = make_gan(compiled=False)
    path = str(tmp_path / "vgg.weights.h5")
    gan.compile(perceptual_loss=keras_spade.losses.PerceptualLoss(path), perceptual_weight=10.0)
    gan.save(tmp_path / "old.keras")  # As before `perceptual_weight=None`.
    assert keras.models.load_model(tmp_path / "old.keras").perceptual_weight == 10.0
    gan.compile(perceptual_loss=keras_spade.losses.PerceptualLoss(path, preprocessing="none"))
    count = len(gan.weights)
    gan.save(tmp_path / "gan.keras")
    twin = keras.models.load_model(tmp_path / "gan.keras")
    assert twin.perceptual_loss.get_config() == {"weights": path, "preprocessing": "none"}
    assert twin.perceptual_weight == 10.0
    assert len(twin.weights) == count  # VGG19 is no part of the model
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype("float32")
    want = gan.perceptual_loss(image, -image)
    assert float(twin.perceptual_loss(image, -image)) == float(want) > 0


@pytest.mark.parametrize("kind", ["random weights", "lambda"])
def test_a_perceptual_loss_without_a_file_does_not_spoil_the_save(make_gan, tmp_path, kind):
    gan = make_gan(compiled=False)
    loss = (lambda fake, real: 0.0) if kind == "lambda" else None
    gan.compile(perceptual_loss=loss or keras_spade.losses.PerceptualLoss(weights=None))
    with pytest.warns(UserWarning, match="perceptual loss is not saved"):
        gan.save(tmp_path / "gan.keras")
    assert keras.models.load_model(tmp_path / "gan.keras").perceptual_loss is None


def test_other_backends_decide_anew_whether_to_compile(make_gan):
    assert make_gan(run_eagerly=False).get_compile_config()["jit_compile"] == "auto"


def test_how_steps_run_comes_back(make_gan, tmp_path):
    make_gan(run_eagerly=True).save(tmp_path / "gan.keras")
    assert keras.models.load_model(tmp_path / "gan.keras").run_eagerly
