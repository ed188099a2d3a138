import numpy as np
import pytest
from PIL import Image

from keras_spade.datasets import LabelMapping
from keras_spade.datasets.folders.sample_reader import SampleReader, class_ids


@pytest.mark.parametrize(
    ("found", "num_classes", "void_label", "message"),
    [
        ([0, 255], 2, 255, r"255; .*remap=\{0: 0, 255: 1\}\)$"),
        (
            [0, 255],
            2,
            None,
            r"out of range: 255; .* To read a mask of 0 and 255, use num_classes=2",
        ),
        ([0, 65535], 1, None, r"a mask of 0 and 65535, .*remap=\{0: 0, 65535: 1\}\)$"),
        ([1, 2, 3], 3, 255, r"ids counted from 1, 1\.\.3, .*LabelMapping\(offset=-1\)$"),
        ([0, 3], 3, None, r"LabelMapping\(offset=-1, void_labels=0\)$"),
        (
            [0, 255],
            3,
            255,
            r"void_class=True makes void an extra class, id 3\. To read a mask of 0 and 255, .*",
        ),
        ([0, 128, 255], 3, 255, r"of 0, 128 and 255, .*=3, .*remap=\{0: 0, 128: 1, 255: 2\}\)$"),
        ([0, 255], 4, 255, r"void_class=True makes void an extra class, id 4$"),
        ([0, 4], 3, None, r"with void_class=True$"),
    ],
)
def test_ids_that_are_no_classes_give_advice(found, num_classes, void_label, message):
    labels = np.array([found], "uint16" if max(found) > 255 else "uint8")
    with pytest.raises(ValueError, match=rf"^a\.png: .*{message}"):
        class_ids("a.png", labels, num_classes, LabelMapping(void_labels=void_label), False)


@pytest.mark.parametrize(
    ("found", "advised"),
    [
        ([0, 255], "LabelMapping(palette='grey', remap={0: 0, 255: 1})"),
        ([1, 2, 3], "LabelMapping(palette='grey', offset=-1)"),
    ],
)
def test_of_ids_in_three_channels_the_advice_keeps_this(found, advised):
    labels = np.array([found], "uint8")
    with pytest.raises(ValueError) as caught:
        class_ids("a.png", labels, len(set(found)), LabelMapping(palette="grey"), False)
    assert str(caught.value).endswith(f"label_mapping={advised}")
    # The advice, followed, reads all numbers.
    mapping = eval(advised)
    read = class_ids("a.png", np.dstack([labels] * 3), len(found), mapping, False)
    assert read.tolist() == [list(range(len(found)))]


@pytest.mark.parametrize(
    ("values", "num_classes", "mapping", "warns"),
    [
        ([0, 255], 2, LabelMapping(), True),
        ([0, 0, 255], 1, LabelMapping(palette="grey"), True),
        ([0, 1, 255], 2, LabelMapping(), False),
        ([0, 0], 2, LabelMapping(), False),
        ([0, 255], 3, LabelMapping(), False),
        ([0, 255], 2, LabelMapping(remap={0: 0}, void_labels=255), False),
    ],
)
def test_a_mask_whose_white_is_void_is_reported_once(
    tmp_path, caplog, values, num_classes, mapping, warns
):
    file = tmp_path / "a.png"
    Image.fromarray(np.array([values], "uint8")).save(file)
    options = {"void_class": True, "label_mapping": mapping, "allow_smooth_labels": True}
    reader = SampleReader(num_classes, (1, len(values)), **options)
    for _ in range(2):
        reader.load((file, file))
    found = [record.getMessage() for record in caplog.records]
    assert len(found) == warns and all("only 0 and 255" in message for message in found)
    assert all("num_classes=2, label_mapping=LabelMapping(" in message for message in found)
