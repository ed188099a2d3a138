"""Every entry point checks the label ids of a batch exactly once."""

import pytest
from support.backends import BACKEND
from support.tiny_gan import tiny_batch, tiny_gan

from keras_spade.backends import backend
from keras_spade.painting import PaintingModel

BATCH = tiny_batch()
LABELS = BATCH["labels"]
WAYS = {
    "fit": lambda gan: gan.fit(BATCH, batch_size=2, verbose=0),
    "evaluate": lambda gan: gan.evaluate(BATCH, batch_size=2, verbose=0),
    "train_on_batch": lambda gan: gan.train_on_batch(BATCH),
    "test_on_batch": lambda gan: gan.test_on_batch(BATCH),
    "predict": lambda gan: gan.predict(LABELS, batch_size=2, verbose=0),
    "predict_on_batch": lambda gan: gan.predict_on_batch(LABELS),
    "call": lambda gan: gan(LABELS),
    "calibrate": lambda gan: gan.calibrate(BATCH, batch_size=2, verbose=0),
    "fit and validate": lambda gan: gan.fit(BATCH, batch_size=2, validation_data=BATCH, verbose=0),
}
LOOKS = {"fit and validate": 2}  # One in each of the two batches.


@pytest.fixture
def looks(monkeypatch):
    """How often the backend has checked ids; for a TensorFlow graph, how many checks it has."""
    seen = []
    check = backend.check_label_range

    def counted(labels, num_classes):
        if BACKEND == "jax":
            import jax

            if isinstance(labels, jax.core.Tracer):
                return check(labels, num_classes)
        seen.append(num_classes)
        return check(labels, num_classes)

    monkeypatch.setattr(backend, "check_label_range", counted)
    return seen


# TensorFlow traces a training step in 5 s: once, of these, in the fast tests.
TRACED = [
    *("evaluate", "test_on_batch", "predict", "calibrate", "fit and validate"),
    pytest.param("train_on_batch", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("way", WAYS)
def test_ids_are_looked_at_once_in_each_batch(looks, way):
    gan = tiny_gan(latent_dim=None, run_eagerly=True)
    WAYS[way](gan)
    assert looks == [3] * LOOKS.get(way, 1)


@pytest.mark.parametrize("way", TRACED if BACKEND == "tensorflow" else WAYS)
def test_so_are_they_in_compiled_steps(looks, way):
    gan = tiny_gan(latent_dim=None, run_eagerly=False)
    WAYS[way](gan)
    assert looks == [3] * LOOKS.get(way, 1)


def test_generate_looks_on_the_host_only(looks):
    gan = tiny_gan(latent_dim=None)
    gan.generate(LABELS)
    assert looks == []
    with pytest.raises(ValueError, match=r"`labels` must hold ids 0\.\.2; found .*: 0, 3\."):
        gan.generate(LABELS * 0 + 3 * (LABELS == 2))
    assert looks == []


def test_the_painter_looks_on_the_host_only(looks):
    painting = PaintingModel(tiny_gan(latent_dim=None).generator)
    painting.paint(LABELS[0])
    with pytest.raises(ValueError, match=r"`labels` must hold ids 0\.\.2; found .*: 0, 3\."):
        painting.paint(LABELS[0] * 0 + 3 * (LABELS[0] == 2))
    assert looks == []
