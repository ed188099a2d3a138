import keras
import numpy as np
import pytest
from support.backends import EAGERLY, label_error, not_on, only_on
from support.tiny_gan import state_of, tiny_batch, tiny_gan

from keras_spade import GauGAN
from keras_spade.models.batch import read_batch

BATCH = tiny_batch(2)
LABELS, IMAGE = BATCH["labels"], BATCH["image"]
ONES = np.ones(2, "float32")


@pytest.fixture(scope="module")
def gan():
    return tiny_gan()


@pytest.fixture(scope="module")
def before(gan):
    return state_of(gan)


@pytest.mark.parametrize(
    "call, argument",
    {
        "fit": (lambda gan: gan.fit(BATCH, sample_weight=ONES, verbose=0), "sample_weight"),
        "zeros": (lambda gan: gan.fit(BATCH, sample_weight=0 * ONES, verbose=0), "sample_weight"),
        "classes": (lambda gan: gan.fit(BATCH, class_weight={0: 5.0}, verbose=0), "class_weight"),
        "classes of arrays": (lambda gan: gan.fit(LABELS, IMAGE, class_weight={}), "class_weight"),
        "validation": (
            lambda gan: gan.fit(BATCH, validation_data=(LABELS, IMAGE, ONES)),
            "validation_data.*sample_weight",
        ),
        "evaluate": (lambda gan: gan.evaluate(BATCH, sample_weight=ONES), "sample_weight"),
        "train_on_batch": (
            lambda gan: gan.train_on_batch(BATCH, sample_weight=ONES),
            "sample_weight",
        ),
        "classes of a batch": (
            lambda gan: gan.train_on_batch(LABELS, IMAGE, class_weight={0: 2.0}),
            "class_weight",
        ),
        "test_on_batch": (
            lambda gan: gan.test_on_batch(LABELS, IMAGE, sample_weight=ONES),
            "sample_weight",
        ),
        "sequence": (lambda gan: gan.fit(Batches((LABELS, IMAGE, ONES)), verbose=0), "sample_"),
        "in the dict": (lambda gan: gan.fit({**BATCH, "sample_weight": ONES}), "sample_weight"),
    }.values(),
)
def test_weights_of_samples_and_classes_are_refused(gan, before, call, argument):
    with pytest.raises(ValueError, match=f"`{argument}.* is not used by a GauGAN.*Omit it"):
        call(gan)
    after = state_of(gan)
    assert all(np.array_equal(before[name], after[name]) for name in before)


@only_on("tensorflow", "the others read tf.data as they read sequences")
def test_datasets_with_weights_are_refused_before_a_batch_is_read(gan):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((LABELS, IMAGE, ONES)).batch(2)
    for call in (gan.fit, gan.evaluate, lambda data: gan.fit(BATCH, validation_data=data)):
        with pytest.raises(ValueError, match=r"holds \(x, y, sample_weight\)"):
            call(data)


@pytest.mark.parametrize(
    "x, y, message",
    [
        (BATCH, IMAGE, "`y` holds photographs, and so does the key 'image' of `x`"),
        ([LABELS, IMAGE] * 2, None, "`x` must be a dict or the label maps, got a list of 4"),
        (LABELS, {"image": IMAGE}, "`y` must be the photographs, an array; got a dict"),
    ],
)
def test_photographs_are_given_once(gan, x, y, message):
    calls = [gan.fit, gan.evaluate, gan.train_on_batch, gan.test_on_batch]
    if not isinstance(x, list):
        calls.append(lambda x, y: gan.fit(BATCH, validation_data=(x, y)))
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call(x, y)


def test_batches_have_the_size_they_have(gan):
    batches = Batches(BATCH)
    for call in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match="`batch_size` is for arrays; a Batches has batches"):
            call(batches, batch_size=2, verbose=0)
    with pytest.raises(ValueError, match="`validation_batch_size` is for arrays; a Batches"):
        gan.fit(BATCH, validation_data=batches, validation_batch_size=1)
    # Keras also passes the arguments for arrays on to the validation.
    gan.evaluate(batches, _use_cached_eval_dataset=False, batch_size=1, verbose=0)


def test_arguments_about_validation_are_not_dropped(gan):
    with pytest.raises(ValueError, match="`validation_split` and `validation_data`: pass only one"):
        gan.fit(BATCH, validation_split=0.5, validation_data=BATCH)
    for argument in ("validation_steps", "validation_batch_size"):
        with pytest.raises(ValueError, match=f"`{argument}` is given, but neither"):
            gan.fit(BATCH, **{argument: 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"validation_split": 1.5}, "`validation_split` must be the share .*got 1.5"),
        ({"validation_split": -0.1}, "`validation_split` must be the share .*got -0.1"),
        ({"x": iter([BATCH]), "validation_split": 0.5}, "pass `validation_data`"),
        ({"x": None}, "`x` must be arrays or a dataset, got None"),
        ({"x": "street"}, "`x` must be .*got 'street'. To read files, use keras_spade.datasets"),
        ({"validation_data": "val"}, "`validation_data` must be arrays or a dataset, got 'val'"),
        (
            {"x": {**BATCH, "labels": LABELS[:1]}},
            "`x` must hold arrays with the same .*'labels': 1, 'image': 2",
        ),
        ({"x": LABELS, "y": IMAGE[:1]}, "`x` must hold arrays with the same number .*'y': 1"),
        ({"x": {k: v[:0] for k, v in BATCH.items()}}, "at least 1; got {'labels': 0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1, got 0"),
        ({"callbacks": [keras.callbacks.CSVLogger]}, "CSVLogger is a class; give .*CSVLogger\\("),
    ],
)
def test_mistakes_in_what_fit_is_given(gan, arguments, message):
    with pytest.raises(ValueError, match=message):
        gan.fit(**{"x": BATCH, "verbose": 0, **arguments})


def test_earlier_versions_of_keras_cannot_swap_averages(gan, monkeypatch):
    monkeypatch.setattr(keras, "__version__", "3.14.1")
    with pytest.raises(ValueError, match="SwapEMAWeights needs Keras 3.15 .* this is 3.14.1"):
        gan.fit(BATCH, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])


@not_on("jax", "it has no integers of 64 bits")
def test_labels_of_64_bits_do_not_lose_the_upper_ones(gan):
    beyond = [LABELS + 2**32 * (LABELS == 1)]
    if keras.backend.backend() != "torch":  # It lacks uint64, and raises its own error.
        beyond.append(LABELS.astype("uint64") + np.uint64(2**63))
    for wide in beyond:
        with pytest.raises(label_error(), match="`labels` must hold ids 0..2"):
            read_batch({"labels": wide, "image": IMAGE}, gan.generator, part=None)


def test_a_dtype_is_that_of_the_networks(gan):
    with pytest.raises(ValueError, match="`dtype`: .* networks; pass 'mixed_bfloat16' to them"):
        GauGAN(gan.generator, gan.discriminator, dtype="mixed_bfloat16")


def test_pairs_are_batches(gan):
    # The loss of real images does not depend on the drawn latents.
    wanted = gan.evaluate(BATCH, verbose=0, return_dict=True)["discriminator/real"]
    evaluated = gan.evaluate((LABELS, IMAGE), verbose=0, return_dict=True)
    tested = gan.test_on_batch([LABELS, IMAGE], return_dict=True)
    mixed = gan.test_on_batch({"labels": LABELS}, IMAGE, return_dict=True)
    for got in (evaluated, tested, mixed):
        assert got["discriminator/real"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize(
    "argument, value, instead",
    [
        ("metrics", ["mae"], "on_epoch_end"),
        ("weighted_metrics", [], "on_epoch_end"),
        ("loss", "mse", "`adversarial_loss`"),
        ("loss_weights", [1.0], "`feature_matching_weight`"),
        ("optimizer", "adam", "`generator_optimizer` and `discriminator_optimizer`"),
    ],
)
def test_compile_says_what_to_give_instead(gan, argument, value, instead):
    with pytest.raises(ValueError, match=rf"`compile\({argument}=...\)`.*{instead}"):
        gan.compile(perceptual_loss=None, **{argument: value})


def test_compile_takes_what_keras_has_by_default_and_nothing_unknown(gan):
    gan.compile(perceptual_loss=None, run_eagerly=EAGERLY, loss=None, metrics=None)
    with pytest.raises(TypeError, match="unexpected keyword argument 'gradients'"):
        gan.compile(perceptual_loss=None, gradients=None)


class Batches(keras.utils.PyDataset):
    """One batch."""

    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch
