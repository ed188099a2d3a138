"""The sheet uses the colours of `ImageGrid`, and has a legend for them."""

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tensorflow")

from keras_spade.callbacks import draw_grid  # noqa: E402
from keras_spade.datasets import NAMED_DATASETS, LabelMapping, inspect_dataset, paired_folders  # noqa: E402
from keras_spade.datasets.folders.pairing import Listing  # noqa: E402
from keras_spade.datasets.folders.sample_reader import SampleReader  # noqa: E402
from keras_spade.datasets.inspection.contact_sheet import legend_of  # noqa: E402
from keras_spade.datasets.inspection.subject import Subject  # noqa: E402


def subject(num_classes, mapping, info=None):
    reader = SampleReader(num_classes, (4, 4), label_mapping=mapping, void_class=True)
    return Subject(Listing([]), reader, info)


def test_the_legend_says_ids_and_names():
    mapping = LabelMapping(offset=-1, void_labels=(0, 99))
    assert legend_of(subject(3, mapping), [0, 1, 3, 7, 99]) == {
        0: "0 (in files 1)",
        2: "2 (in files 3)",
        3: "3 void (in files 0)",
    }
    info = NAMED_DATASETS["cmp_facades"]
    named = subject(12, LabelMapping(offset=-1, void_labels=0), info)
    assert legend_of(named, [0, 1, 12]) == {0: "0 background", 11: "11 shop", 12: "12 void"}
    assert legend_of(Subject(Listing([])), [(0, 0, 9)]) == {(0, 0, 9): "(0, 0, 9)"}


@pytest.mark.parametrize("kind", ["from one", "colours", "a dataset"])
def test_colors_are_those_of_the_grid(tmp_path, kind):
    classes = np.repeat(np.arange(4), 40)[:, None] * np.ones((1, 160), int)
    stored = {
        "from one": classes + 1,
        "colours": np.array([(0, 0, 0), (0, 7, 0), (9, 0, 0), (9, 9, 9)])[classes],
        "a dataset": classes,
    }[kind]
    for folder, pixels in (("images", np.full((160, 160, 3), 90)), ("labels", stored)):
        (tmp_path / folder).mkdir()
        Image.fromarray(pixels.astype("uint8")).save(tmp_path / folder / "a.png")
    data = tmp_path if kind != "a dataset" else paired_folders(tmp_path, 4, (8, 8))
    inspect_dataset(data, contact_sheet=tmp_path / "sheet.png", verbose=0)
    with Image.open(tmp_path / "sheet.png") as sheet:
        sheet = np.asarray(sheet)
    # Rows have the height of the maps, so nothing is resized.
    assert np.array_equal(sheet[14 : 14 + 160, 164 : 164 + 160], draw_grid(classes[None], gap=0))
    # The legend below, two patches per line.
    top = 14 + 160
    patches = [sheet[top + line * 14 + 7, column * 130 + 7] for line in (0, 1) for column in (0, 1)]
    assert np.array_equal(patches, draw_grid(np.arange(4)[None, :, None], gap=0)[:, 0])
    assert sheet.shape == (top + 28, 328, 3)
