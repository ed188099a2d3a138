"""Three hundred hostile inputs: each loads correctly, or raises an error that names the file."""

import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.hostile_files import CLASSES, Hostile

tf = pytest.importorskip("tensorflow")

from keras_spade.datasets import inspect_dataset, paired_folders  # noqa: E402

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX"),
    # Pillow warns about files that it then refuses.
    pytest.mark.filterwarnings("default:Image size:PIL.Image.DecompressionBombWarning"),
    pytest.mark.filterwarnings("ignore:Corrupt EXIF data"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one sample per case, and the cases by the stem of the sample."""
    root = tmp_path_factory.mktemp("hostile")
    hostile = Hostile()
    cases = {}
    for number, (name, outcome, spoil) in enumerate(hostile.cases):
        spoil(*hostile.write(root, number))
        cases[str(number)] = (name, outcome)
    return root, cases


def dataset(root, **options):
    options = {"void_class": True, "shuffle": False, "on_bad_file": "skip", **options}
    return paired_folders(root, CLASSES, (12, 15), **options)


def plain_reading(root, stem):
    """Image and labels, read only with Pillow and NumPy, resized to 12 x 15."""
    (image_file,) = (root / "images").glob(f"{stem}.*")
    (label_file,) = (root / "labels").glob(f"{stem}.*")
    if label_file.suffix == ".npy":
        labels = np.load(label_file)
    else:
        with Image.open(label_file) as file:
            labels = np.asarray(file)
    labels = labels.reshape(labels.shape[:2]).astype(int)
    with Image.open(image_file) as image:
        orientation = image.getexif().get(0x0112, 1)
        image = image.convert("RGBA" if "transparency" in image.info else image.mode)
        image = image.convert("RGB")
    if image.size != labels.shape[::-1]:
        turn = {5: 5, 6: 4, 7: 6, 8: 2}[orientation]  # Image.Transpose
        image = image.transpose(turn)
    assert image.size == labels.shape[::-1]
    rows = [i * labels.shape[0] // 12 for i in range(12)]
    columns = [i * labels.shape[1] // 15 for i in range(15)]
    labels = np.where(labels == 255, CLASSES, labels)[rows][:, columns]
    return np.asarray(image.resize((15, 12), Image.BICUBIC)), labels


def test_each_loads_right_or_is_named_with_its_reason(folder):
    root, cases = folder
    assert len(cases) >= 300
    report = inspect_dataset(dataset(root), verbose=0)
    reasons = {os.path.splitext(os.path.basename(f))[0]: r for f, r in report.bad_files.items()}
    assert report.samples == len(cases) and not report.unmatched
    for stem, (name, outcome) in cases.items():
        reason = reasons.get(stem)
        if outcome == "good":
            assert reason is None, (name, reason)
        elif outcome != "good or error":
            assert reason and outcome in reason, (name, outcome, reason)
        assert reason is None or re.search(rf"/{stem}\.\w+\b", reason), (name, reason)
    assert len(reasons) > 100 and len(cases) - len(reasons) > 60


def test_the_epoch_skips_these_and_no_other(folder):
    root, cases = folder
    data = dataset(root)
    bad = set(inspect_dataset(data, verbose=0).bad_files)
    pairs = data.source.samples.listing.samples
    batches = list(data.as_numpy_iterator())
    assert len(batches) == len(pairs) and set(data.source.samples.skipped) == bad
    good = [stem_of(image) for image, _ in pairs if image not in bad]
    following = dict(
        zip([stem_of(image) for image, _ in pairs], successors(pairs, bad), strict=True)
    )
    wanted = {stem: plain_reading(root, stem) for stem in good if loads_as_pillow(cases[stem][0])}
    for (image, _), batch in zip(pairs, batches, strict=True):
        stem = following[stem_of(image)]
        if stem in wanted:
            pixels, labels = wanted[stem]
            assert np.array_equal(batch["labels"][0], labels), cases[stem]
            np.testing.assert_allclose(batch["image"][0], pixels / 127.5 - 1, atol=2e-7)
    assert len(wanted) > 50


def stem_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def successors(pairs, bad):
    """The sample used for each sample: itself, or the next readable one."""
    count = len(pairs)
    for number in range(count):
        places = ((number + step) % count for step in range(count))
        yield stem_of(next(pairs[place][0] for place in places if pairs[place][0] not in bad))


def loads_as_pillow(name):
    """Whether the plain reading is correct for a case."""
    return not any(part in name for part in ("flipped", "EXIF 0", " of 2 bits", " of 4 bits"))


def test_as_an_error_the_first_is_named(folder):
    root, _ = folder
    wanted = r"cannot be read|sizes differ|out of range|one channel|turns or mirrors"
    with pytest.raises(tf.errors.InvalidArgumentError, match=wanted) as caught:
        list(dataset(root, on_bad_file="error"))
    assert re.search(rf"{re.escape(str(root))}/(images|labels)/\d+\.", caught.value.message)


def test_names_that_are_no_text(tmp_path):
    hostile = Hostile()
    for number, name in enumerate((b"\xff\xfe", "é ü".encode(), b"line\nbreak", b"%s {0}", b"-rf")):
        image, label = hostile.write(tmp_path, number)
        for path in (image, label):
            os.rename(path, os.path.join(os.fsencode(path.parent), name + path.suffix.encode()))
    (batch,) = dataset(tmp_path, batch_size=5)
    assert batch["labels"].shape == (5, 12, 15)
    for path in (tmp_path / "images").iterdir():
        path.write_bytes(b"")
    report = inspect_dataset(dataset(tmp_path), verbose=1)
    assert len(report.bad_files) == 5
    with pytest.raises(tf.errors.InvalidArgumentError, match="the file is empty"):
        list(dataset(tmp_path, on_bad_file="error"))


def test_folders_that_lead_to_themselves(tmp_path):
    hostile = Hostile()
    hostile.write(tmp_path, 0)
    (tmp_path / "images" / "again").symlink_to(tmp_path / "images")
    (tmp_path / "images" / "above").symlink_to(tmp_path)
    (tmp_path / "labels" / "again").symlink_to("again")
    (batch,) = dataset(tmp_path)
    assert batch["image"].shape == (1, 12, 15, 3)


def test_folders_that_lead_to_one_another(tmp_path):
    hostile = Hostile()
    hostile.write(tmp_path, 0)
    for kind, suffix in (("images", "jpg"), ("labels", "png")):
        folders = [tmp_path / kind / str(number) for number in range(12)]
        for folder in folders:
            folder.mkdir()
            for other in folders:
                (folder / f"to_{other.name}").symlink_to(other)
        (tmp_path / kind / f"0.{suffix}").rename(tmp_path / kind / "7" / f"0.{suffix}")
    data = dataset(tmp_path)  # Walking along all paths would take 12! steps.
    found = {
        str(Path(image).relative_to(tmp_path)) for image, _ in data.source.samples.listing.samples
    }
    assert {"images/7/0.jpg", "images/3/to_7/0.jpg", "images/3/to_5/to_7/0.jpg"} < found
    assert len(found) == 1 + 11 + 11 * 10


@pytest.mark.parametrize("name", ["up", "zz"])
def test_links_out_of_the_folders_and_back(tmp_path, name):
    hostile = Hostile()
    image, label = hostile.write(tmp_path / "data", 0)
    (tmp_path / "data" / "images" / name).symlink_to("..")
    (tmp_path / "data" / "labels" / name).symlink_to("/")
    assert len(dataset(tmp_path / "data", on_bad_file="error").source.samples) == 1
    # A link in a linked folder, whatever the order of the names.
    outside, inside = tmp_path / "outside", tmp_path / "data" / "images"
    for folder in (outside / "1", outside / "2"):
        folder.mkdir(parents=True)
        (folder / "0.jpg").write_bytes(image.read_bytes())
    (outside / "1" / "sub").symlink_to(outside / "2")
    (inside / "m").symlink_to(outside / "1")
    (inside / ("n" if name == "up" else "a")).symlink_to(outside / "2")
    for place in ("m", "m/sub", "n" if name == "up" else "a"):
        (label.parent / place).mkdir()
        (label.parent / place / "0.png").write_bytes(label.read_bytes())
    assert len(dataset(tmp_path / "data", on_bad_file="error").source.samples) == 4


def test_two_links_to_one_folder(tmp_path):
    hostile = Hostile()
    image, label = hostile.write(tmp_path / "once", 0)
    for kind, folder in (("images", image.parent), ("labels", label.parent)):
        (tmp_path / kind).mkdir()
        for name in ("left", "right"):
            (tmp_path / kind / name).symlink_to(folder)
    assert len(dataset(tmp_path, on_bad_file="error").source.samples) == 2


def test_extreme_shapes_are_refused_before_they_are_made(tmp_path):
    hostile = Hostile()
    image, label = hostile.write(tmp_path, 0)
    hostile.photograph((1, 4000)).save(image)
    Image.fromarray(hostile.labels((1, 4000))).save(label)
    data = dataset(tmp_path, resize="scale_short_side", load_size=300, on_bad_file="error")
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"0\.jpg: 1 x 4000 .* would become 300 x 1200000"
    ):
        list(data)
    sheet = tmp_path / "sheet.png"
    assert inspect_dataset(tmp_path, contact_sheet=sheet, verbose=0).samples == 1
    with Image.open(sheet) as drawn:
        assert drawn.width < 2000


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_files_that_may_not_be_read(tmp_path):
    hostile = Hostile()
    image, _ = hostile.write(tmp_path, 0)
    hostile.write(tmp_path / "more", 1)
    (tmp_path / "more" / "images").rename(tmp_path / "images" / "a")
    (tmp_path / "more" / "labels").rename(tmp_path / "labels" / "a")
    (tmp_path / "labels" / "a").chmod(0)
    with pytest.raises(ValueError, match="labels/a: the folder cannot be read: Permission denied"):
        dataset(tmp_path, on_bad_file="error")
    (tmp_path / "labels" / "a").chmod(0o755)
    image.chmod(0)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"0\.jpg: cannot be read .*denied"):
        list(dataset(tmp_path, on_bad_file="error"))
