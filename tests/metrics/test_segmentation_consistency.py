import json
import tracemalloc

import keras
import numpy as np
import pytest

from keras_spade.metrics import SegmentationConsistency


def scores_of(images):
    """The scores of a segmenter that reads the class from the red channel."""
    return np.eye(8, dtype="float32")[np.asarray(images)[..., 0]][..., :4]


def painted(classes):
    return np.repeat(classes[..., None], 3, axis=-1).astype("uint8")


def maps(seed, top, samples=6):
    return np.random.default_rng(seed).integers(0, top, (samples, 5, 7))


def found(metric):
    return {name: float(keras.ops.convert_to_numpy(x)) for name, x in metric.result().items()}


@pytest.mark.parametrize("top", [4, 3])
def test_numbers_are_those_of_scikit_learns_confusion_matrix(top):
    sklearn = pytest.importorskip(
        "sklearn.metrics", reason="scikit-learn, of the extra 'test', is not installed"
    )
    labels, seen = maps(0, 5), maps(1, top)
    metric = SegmentationConsistency(scores_of, 4, void_class=True)
    for part in np.split(np.arange(6), [1, 3]):
        metric.update_state(labels[part], painted(seen[part]))
    counts = labels < 4
    confusion = sklearn.confusion_matrix(labels[counts], seen[counts], labels=range(4))
    right = np.diag(confusion)
    ious = right / (confusion.sum(axis=0) + confusion.sum(axis=1) - right)
    np.testing.assert_array_equal(metric.confusion, confusion)
    np.testing.assert_allclose(metric.class_ious(), ious)
    want = {"mean_iou": ious.mean(), "pixel_accuracy": np.mean(labels[counts] == seen[counts])}
    assert found(metric) == pytest.approx(want, rel=1e-6)


def test_classes_that_do_not_occur_do_not_count():
    labels = np.array([[[0, 0, 1, 1]]])
    metric = SegmentationConsistency(scores_of, 4)
    metric.update_state(labels, painted(np.array([[[0, 1, 1, 1]]])))
    assert found(metric) == pytest.approx({"mean_iou": (1 / 2 + 2 / 3) / 2, "pixel_accuracy": 0.75})
    metric.update_state(labels, painted(np.array([[[0, 0, 1, 3]]])))  # 3 now occurs.
    ious = 3 / 4, 3 / 5, 0 / 1
    assert found(metric) == pytest.approx({"mean_iou": sum(ious) / 3, "pixel_accuracy": 6 / 8})
    np.testing.assert_allclose(metric.class_ious(), [3 / 4, 3 / 5, np.nan, 0])


def test_very_many_classes_need_no_table_of_their_pairs():
    scores = np.zeros((1, 1, 2, 70_000), "float32")
    scores[0, 0, [0, 1], [69_999, 2]] = 1
    metric = SegmentationConsistency(lambda images: scores, 70_000)
    tracemalloc.start()
    metric.update_state(np.array([[[69_999, 3]]]), np.zeros((1, 1, 2, 3), "uint8"))
    assert found(metric) == pytest.approx({"mean_iou": 1 / 3, "pixel_accuracy": 1 / 2})
    assert tracemalloc.get_traced_memory()[1] < 2**26  # The table of all pairs takes 39 GB.
    tracemalloc.stop()


def test_void_alone_is_no_number_and_reset_forgets():
    metric = SegmentationConsistency(scores_of, 3 + 1, void_class=True)
    assert np.isnan(list(found(metric).values())).all()
    metric.update_state(np.full((1, 2, 2), 4), painted(np.zeros((1, 2, 2), int)))
    assert np.isnan(list(found(metric).values())).all()
    zeros = np.zeros((1, 2, 2), int)
    metric.update_state(zeros, painted(zeros + 1))
    metric.reset_state()
    metric.update_state(zeros, painted(zeros))
    assert found(metric) == {"mean_iou": 1.0, "pixel_accuracy": 1.0}


def test_scores_of_another_size_are_resized_bilinearly():
    # Half-pixel centres: two columns, 1 and 0, become 1, 3/4, 1/4 and 0.
    scores = np.zeros((1, 1, 2, 2), "float32")
    scores[0, 0, :, 0] = [0.6, 0.0]
    scores[..., 1] = 0.4
    metric = SegmentationConsistency(lambda images: scores, 2)
    metric.update_state(np.array([[[0, 0, 1, 1]]]), np.zeros((1, 9, 9, 3), "uint8"))
    assert found(metric) == {"mean_iou": 1.0, "pixel_accuracy": 1.0}  # 0.45 > 0.4 > 0.15
    with pytest.raises(ValueError, match=r"must return class scores \(batch, h, w, 3\).*1, 2, 2\)"):
        SegmentationConsistency(lambda images: scores, 3).update_state(
            np.zeros((1, 1, 4), int), np.zeros((1, 9, 9, 3), "uint8")
        )


@pytest.mark.parametrize(("void", "highest"), [(False, 3), (True, 4)])
def test_ids_that_are_no_class_are_refused(void, highest):
    metric = SegmentationConsistency(scores_of, 4, void_class=void)
    labels = np.full((1, 2, 2), 255, "uint8")
    with pytest.raises(ValueError, match=rf"must hold ids 0\.\.{highest}; found .* 255, 255"):
        metric.update_state(labels, painted(labels // 255))
    with pytest.raises(ValueError, match="`labels` must be integer ids of shape"):
        metric.update_state(labels.astype("float32"), painted(labels // 255))
    with pytest.raises(ValueError, match="`images` must be an array or tensor, got None"):
        metric.update_state(labels, None)
    with pytest.raises(ValueError, match="`num_classes` must be at least 1, got 0"):
        SegmentationConsistency(scores_of, 0)
    with pytest.raises(ValueError, match="`segmenter` must be a function"):
        SegmentationConsistency("unet", 3)


def test_a_keras_model_segments_bytes():
    inputs = keras.Input((None, None, 3))
    outputs = keras.layers.Conv2D(2, 1, use_bias=False)(inputs)
    model = keras.Model(inputs, outputs)
    model.set_weights([np.array([[[[1, 0], [0, 1], [0, 0]]]], "float32")])
    images = np.zeros((1, 3, 4, 3), "uint8")
    images[..., 0], images[:, 1:, :, 1] = 100, 200  # The first row is of class 0.
    metric = SegmentationConsistency(model, 2)
    metric.update_state(np.array([[[0] * 4, [1] * 4, [0] * 4]]), images)
    assert found(metric)["pixel_accuracy"] == pytest.approx(8 / 12)


keras.saving.register_keras_serializable(package="tests")(scores_of)


def test_config():
    metric = SegmentationConsistency(scores_of, 4, void_class=True)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    twin = keras.saving.deserialize_keras_object(config)
    assert (twin.num_classes, twin.void_class, twin.segmenter) == (4, True, scores_of)
    assert twin.get_config() == metric.get_config()
    assert twin.protocol() == {
        "segmenter": "scores_of",
        "classes": "4, and void, which is ignored",
        "is_not": "the paper's, unless the segmenter is the paper's",
    }
    assert SegmentationConsistency(scores_of, 4).protocol()["classes"] == "4"
