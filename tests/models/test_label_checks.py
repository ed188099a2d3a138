"""Every entry point checks label ids exactly once."""

import pytest
from support.backends import BACKEND
from support.tiny_gan import tiny_batch, tiny_gan

from keras_spade.backends import backend

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
}


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


COMPILED = ["evaluate", "predict"] if BACKEND == "tensorflow" else list(WAYS)


@pytest.mark.parametrize(
    "way, run_eagerly", [*((way, True) for way in WAYS), *((way, False) for way in COMPILED)]
)
def test_ids_are_looked_at_once(looks, way, run_eagerly):
    gan = tiny_gan(latent_dim=None, run_eagerly=run_eagerly)
    WAYS[way](gan)
    assert looks == [3]


def test_generate_looks_on_the_host_only(looks):
    gan = tiny_gan(latent_dim=None)
    gan.generate(LABELS)
    assert looks == []
    with pytest.raises(ValueError, match=r"`labels` must hold ids 0\.\.2; found .*: 0, 3\."):
        gan.generate(LABELS * 0 + 3 * (LABELS == 2))
    assert looks == []
