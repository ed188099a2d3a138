"""The samples of the paper's experiments, and the protocol that is reported with numbers."""

import shutil

import numpy as np
import pytest
from absl.testing import flagsaver
from PIL import Image

from examples.paper import options
from examples.paper.options import FLAGS
from examples.paper.samples import Samples


@pytest.fixture
def street(tmp_path):
    """Five photographs and label maps of 12 x 16 pixels."""
    rng = np.random.default_rng(0)
    for folder in ("images", "labels"):
        (tmp_path / "street" / folder).mkdir(parents=True)
    for number in range(5):
        labels = np.kron(rng.integers(0, 4, (3, 4)), np.ones((4, 4))).astype("uint8")
        image = rng.integers(0, 256, (12, 16, 3)).astype("uint8")
        Image.fromarray(labels).save(tmp_path / "street/labels" / f"{number}.png")
        Image.fromarray(image).save(tmp_path / "street/images" / f"{number}.png")
    return tmp_path / "street"


def load(*flags):
    """The samples, and their protocol."""
    with flagsaver.flagsaver():
        FLAGS(["table", *flags])
        options.apply_quick()
        samples = Samples.load()
        return samples, samples.protocol


OWN = ("--num_classes=4", "--image_size=8,16", "--batch_size=2")
RESIZED = "8 x 16, photographs resized bicubically, label maps by nearest neighbours"


def test_training_data_are_not_scored(tmp_path):
    # The folder does not exist: no data are read before the refusal.
    folder = tmp_path / "street"
    message = "--data needs unseen data: pass --validation_split=0.1, or --validation_data"
    for flags in (
        (),
        (f"--validation_data={folder}/",),
        (f"--validation_data={tmp_path / 'other' / '..' / 'street'}",),
        ("--dataset=camvid", "--split=val"),
    ):
        with pytest.raises(ValueError, match=message):
            load(f"--data={folder}", *OWN, *flags)
    with pytest.raises(ValueError, match=message):
        load("--data=scenes", "--dataset=camvid")  # A folder of this name.


def test_photographs_of_training_are_not_scored_in_another_folder(street):
    (street.parent / "other").symlink_to(street)
    (street.parent / "part").mkdir()
    for folder in ("images", "labels"):
        (street.parent / "part" / folder).symlink_to(street / folder)
    with pytest.raises(ValueError, match="--data needs unseen data"):
        load(f"--data={street}", *OWN, f"--validation_data={street.parent / 'other'}")
    message = r"5 photographs are in the data of training and of validation, such as .*/0.png"
    with pytest.raises(ValueError, match=message):
        load(f"--data={street}", *OWN, f"--validation_data={street.parent / 'part'}")


@pytest.mark.parametrize(
    "flags, protocol",
    [
        # Among the names 0 to 4, this selects 4.
        (("--validation_split=0.3",), f"validation: 0.3, 1 maps, {RESIZED} (stretch), void absent"),
        (
            ("--validation_split=0.3", "--load_size=9,18", "--void_class"),
            f"validation: 0.3, 1 maps, {RESIZED} (stretch, load_size 9 x 18, center crop), "
            "void not counted",
        ),
        (
            ("--validation_data=other", "--load_size=20", "--resize=scale_width"),
            f"validation: another folder, 5 maps, {RESIZED} (scale_width, load_size 20, center "
            "crop), void absent",
        ),
        (
            ("--validation_data=other", "--resize=scale_short_side"),
            f"validation: another folder, 5 maps, {RESIZED} (scale_short_side, center crop), void "
            "absent",
        ),
    ],
)
def test_the_protocol_says_what_applies(street, monkeypatch, flags, protocol):
    monkeypatch.chdir(street.parent)
    shutil.copytree(street, "other")
    assert load("--data=street", *OWN, *flags)[1] == f"street, {protocol}"


def test_without_resizing_the_centers_of_the_files_are_scored(street):
    flags = ("--validation_split=0.3", "--resize=none")
    samples, protocol = load(f"--data={street}", *OWN, *flags)
    assert protocol.endswith("1 maps, 8 x 16, not resized, center crop, void absent")
    labels, image = (
        np.asarray(Image.open(street / folder / "4.png")) for folder in ("labels", "images")
    )
    np.testing.assert_array_equal(samples.labels, labels[None, 2:10])
    np.testing.assert_array_equal(samples.images, image[None, 2:10])


def test_the_protocol_of_drawn_scenes():
    _, protocol = load("--quick")
    assert protocol == (
        "scenes, validation: other scenes, 4 maps, 64 x 64, drawn at this size, void absent"
    )
