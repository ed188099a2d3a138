"""The options on which results of the paper's tables depend."""

import hashlib
import shutil
import time

import numpy as np
import pytest
from absl import flags
from absl.testing import flagsaver
from PIL import Image

from examples.paper import options
from examples.paper.results import Results


def settings(*flags):
    with flagsaver.flagsaver():
        options.FLAGS(["table", *flags])
        return options.settings(3.0, options.data_settings())


def write_street(folder, seed=0, count=5):
    """Photographs and label maps whose files have the same sizes for all seeds."""
    rng = np.random.default_rng(seed)
    for part, shape in (("images", (8, 16, 3)), ("labels", (8, 16))):
        (folder / part).mkdir(parents=True)
        for number in range(count):
            array = rng.integers(0, 4, shape).astype("uint8")
            Image.fromarray(array).save(folder / part / f"{number}.bmp")
    return folder


def files_of(street, number):
    return b"".join((street / p / f"{number}.bmp").read_bytes() for p in ("images", "labels"))


OWN = ("--num_classes=4", "--image_size=8,16")
SPLIT = (*OWN, "--validation_split=0.3")  # Among the names 0 to 4, this selects 4.


def test_moved_weights_are_the_same_and_others_are_not(tmp_path):
    one, moved, other = (tmp_path / name for name in ("one.h5", "moved.h5", "other.h5"))
    for path in (one, moved):
        path.write_bytes(b"abc")
    other.write_bytes(b"abd")
    first = settings(f"--vgg16={one}")
    # The digest of b"abc" in FIPS 180-2, appendix B.1.
    assert first["vgg16"] == "sha256 ba7816bf8f01cfea"
    assert first == settings(f"--vgg16={moved}")
    assert first != settings(f"--vgg16={other}")
    assert settings()["data"] == "scenes" and settings()["vgg16"] is None


def test_moved_data_are_the_same_and_others_are_not(tmp_path):
    first = settings(f"--data={write_street(tmp_path / 'first')}", *SPLIT)
    content = hashlib.sha256(b"".join(files_of(tmp_path / "first", i) for i in range(5)))
    assert first["data"] == (
        f"4 training and 1 validation samples with sha256 {content.hexdigest()[:16]}"
    )
    shutil.copytree(tmp_path / "first", tmp_path / "moved")
    (tmp_path / "moved" / "readme.txt").write_text("Not a sample.")
    assert settings(f"--data={tmp_path / 'moved'}", *SPLIT) == first
    second = settings(f"--data={write_street(tmp_path / 'second', seed=1)}", *SPLIT)
    assert {name for name in first if first[name] != second[name]} == {"data"}
    Results(tmp_path / "results.jsonl", first).add(row="ours", seed=0)
    message = (
        r"results with other settings \(--data=4 training and 1 validation samples with sha256 "
        r"\w{16} before, 4 training and 1 validation samples with sha256 \w{16} now\)"
    )
    with pytest.raises(ValueError, match=message):
        Results(tmp_path / "results.jsonl", second)


def test_data_of_validation_are_data(tmp_path):
    data = f"--data={write_street(tmp_path / 'data', seed=0)}"
    found = [
        settings(data, *OWN, f"--validation_data={write_street(tmp_path / str(seed), seed)}")
        for seed in (1, 2)
    ]
    assert found[0] != found[1]
    assert "5 training and 5 validation samples" in found[0]["data"]


@pytest.mark.parametrize("name", ["minutes", "segmenter_minutes"])
@pytest.mark.parametrize("value", ["0", "-1", "nan"])
def test_trainings_that_would_never_end_are_refused(name, value):
    message = f"--{name}=.*: must be above 0."
    with flagsaver.flagsaver(), pytest.raises(flags.IllegalFlagValueError, match=message):
        options.FLAGS(["table", f"--{name}={value}"])


@pytest.mark.parametrize("seeds", ["", "1,a", "1.5"])
def test_seeds_that_are_no_integers_are_refused(seeds):
    with flagsaver.flagsaver():
        options.FLAGS(["table", f"--seeds={seeds}"])
        with pytest.raises(ValueError, match=f"--seeds={seeds}: expected integers."):
            options.seeds()


def test_processor_time_does_not_count_waiting():
    with flagsaver.flagsaver():
        options.FLAGS(["table", "--clock=processor"])
        start = options.clock()()
        time.sleep(0.3)
        assert options.clock()() - start < 0.2
        options.FLAGS(["table", "--clock=wall"])
        start = options.clock()()
        time.sleep(0.3)
        assert options.clock()() - start >= 0.3
