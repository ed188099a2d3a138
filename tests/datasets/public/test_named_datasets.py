"""Every named dataset, from a small tree in its layout, and from real files if available."""

import inspect
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.doc_scripts import load_doc_script

tf = pytest.importorskip("tensorflow")

from keras_spade import datasets  # noqa: E402
from keras_spade.datasets import NAMED_DATASETS, PUBLIC_DATASETS  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
DATA = ROOT.parent / "shared" / "data"
SIZE = (4, 6)
WHOLE = {"image_size": SIZE, "shuffle": False}


def save(path, array, palette=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(array)
    if palette is not None:
        image.putpalette(np.array(palette, "uint8").tobytes())
    image.save(path)


def photograph(path, value):
    save(path, np.full((*SIZE, 3), value, "uint8"))


def labels_of(ids):
    """A label map with the given ids, in rows of six."""
    return np.resize(np.array(ids, "uint8"), SIZE)


def only(dataset):
    (batch,) = list(dataset)
    return {key: array.numpy()[0] for key, array in batch.items()}


def mapped(ids, function):
    return [[function(int(number)) for number in row] for row in ids]


def test_ade20k_counts_in_two_ways(tmp_path):
    ids = labels_of([0, 1, 2, 149, 150, 0])
    for split, name in (("training", "ADE_train_00000001"), ("validation", "ADE_val_00000001")):
        photograph(tmp_path / "ADEChallengeData2016" / "images" / split / f"{name}.jpg", 9)
        save(tmp_path / "ADEChallengeData2016" / "annotations" / split / f"{name}.png", ids)
    for directory in (tmp_path, tmp_path / "ADEChallengeData2016"):
        shifted = only(datasets.ade20k(directory, **WHOLE))["labels"]
        assert shifted.tolist() == mapped(ids, lambda n: n - 1 if n else 150)
    unshifted = only(datasets.ade20k(directory, "val", counting="unshifted", **WHOLE))["labels"]
    assert unshifted.tolist() == ids.tolist()
    save(directory / "annotations" / "training" / "ADE_train_00000001.png", ids + 1)
    for counting in ("shifted", "unshifted"):
        dataset = datasets.ade20k(directory, counting=counting, **WHOLE)
        with pytest.raises(tf.errors.InvalidArgumentError, match="label ids out of range: 151"):
            only(dataset)


def test_ade20k_outdoor_takes_scenes(tmp_path):
    scenes = "coast bathroom church_outdoor bakery_shop street".split()
    lines = []
    for number, scene in enumerate(scenes):
        name = f"ADE_train_0000000{number}"
        photograph(tmp_path / "images" / "training" / f"{name}.jpg", 9)
        save(tmp_path / "annotations" / "training" / f"{name}.png", labels_of([number + 1]))
        lines.append(f"{name} {scene}")
    (tmp_path / "sceneCategories.txt").write_text("\n".join(lines))

    def found(**options):
        dataset = datasets.ade20k_outdoor(tmp_path, batch_size=5, **WHOLE, **options)
        return [int(labels[0, 0]) for batch in dataset for labels in batch["labels"]]

    assert found() == [0, 2, 4]
    assert found(scenes=["bathroom", "street"]) == [1, 4]
    assert found(scenes=["bathroom"], counting="unshifted") == [2]
    with pytest.raises(ValueError, match="scenes must be a sequence of names, got 'coast'"):
        found(scenes="coast")
    with pytest.raises(ValueError, match="contains 5, none of which shows one of the requested"):
        found(scenes=["moon"])
    (tmp_path / "sceneCategories.txt").unlink()
    with pytest.raises(ValueError, match=r"sceneCategories\.txt, which names the scene"):
        found()


def test_cityscapes_train_ids_and_label_ids(tmp_path):
    # Train ids copied by hand from the published labels.py.
    train_ids = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10}
    train_ids |= {24: 11, 25: 12, 26: 13, 27: 14, 28: 15, 31: 16, 32: 17, 33: 18}
    name = "aachen_000000_000019"
    for first in (0, 17):
        ids = labels_of(range(first, first + 17))
        fine = tmp_path / "gtFine" / "train" / "aachen"
        photograph(tmp_path / "leftImg8bit/train/aachen" / f"{name}_leftImg8bit.png", 9)
        save(fine / f"{name}_gtFine_labelIds.png", ids)
        save(fine / f"{name}_gtFine_color.png", np.zeros((*SIZE, 4), "uint8"))
        save(fine / f"{name}_gtFine_instanceIds.png", ids.astype("uint16") * 1000 + 1)
        batch = only(datasets.cityscapes(tmp_path, **WHOLE))
        assert batch["labels"].tolist() == mapped(ids, lambda n: train_ids.get(n, 19))
        assert batch["instances"].tolist() == mapped(ids, lambda n: n * 1000 + 1)
        batch = only(datasets.cityscapes(tmp_path, labels="labelIds", instances=False, **WHOLE))
        assert batch["labels"].tolist() == ids.tolist() and "instances" not in batch
    assert datasets.cityscapes(tmp_path).element_spec["image"].shape[1:] == (256, 512, 3)


def test_cmp_facades_of_both_parts(tmp_path):
    colors = [(0, 0, 0), *NAMED_DATASETS["cmp_facades"].palette]
    ids = {"base/cmp_b0001": labels_of(range(13)), "extended/cmp_x0001": labels_of([12])}
    for name, array in ids.items():
        photograph(tmp_path / f"{name}.jpg", 9)
        save(tmp_path / f"{name}.png", array, palette=colors)
        (tmp_path / f"{name}.xml").write_text("<object>")
    for split, names in (("base", [0]), ("extended", [1]), ("all", [0, 1])):
        (batch,) = datasets.cmp_facades(tmp_path, split, batch_size=2, **WHOLE)
        wanted = [mapped(list(ids.values())[n], lambda i: i - 1 if i else 12) for n in names]
        assert batch["labels"].numpy().tolist() == wanted


def test_camvid_in_three_layouts(tmp_path):
    ids = labels_of(range(12))
    photograph(tmp_path / "a" / "val" / "images" / "1.png", 9)
    save(tmp_path / "a" / "val" / "labels" / "1.png", ids)
    photograph(tmp_path / "b" / "val" / "1.png", 9)
    save(tmp_path / "b" / "valannot" / "1.png", ids)
    for layout in "ab":
        assert only(datasets.camvid(tmp_path / layout, "val", **WHOLE))["labels"].tolist() == (
            ids.tolist()
        )
    # Colours and groups copied by hand from label_colors.txt.
    colors = [(64, 128, 64), (192, 0, 128), (0, 128, 192), (64, 192, 0), (0, 0, 0), (128, 128, 128)]
    photograph(tmp_path / "c" / "701_StillsRaw_full" / "0001TP_006690.png", 9)
    rgb = np.array(colors, "uint8")[np.resize(np.arange(6), SIZE)]
    save(tmp_path / "c" / "LabeledApproved_full" / "0001TP_006690_L.png", rgb)
    groups = only(datasets.camvid(tmp_path / "c", "all", **WHOLE))["labels"]
    assert groups[0].tolist() == [9, 1, 10, 1, 11, 0]
    every = only(datasets.camvid(tmp_path / "c", "all", num_classes=31, **WHOLE))["labels"]
    assert every[0].tolist() == [0, 1, 2, 30, 31, 21]
    with pytest.raises(ValueError, match='split must be "all"'):
        datasets.camvid(tmp_path / "c", "train")
    with pytest.raises(ValueError, match="num_classes=31 needs the folders"):
        datasets.camvid(tmp_path / "a", "val", num_classes=31)


def test_coco_stuff_as_its_page_says(tmp_path):
    ids = labels_of([0, 181, 255])
    photograph(tmp_path / "images" / "val2017" / "1.jpg", 9)
    save(tmp_path / "annotations" / "val2017" / "1.png", ids)
    batch = only(datasets.coco_stuff(tmp_path, "val", **WHOLE))
    assert batch["labels"].tolist() == mapped(ids, lambda n: 182 if n == 255 else n)


def test_landscapes(tmp_path):
    ids = labels_of([123, 168, 255])
    photograph(tmp_path / "images" / "1.jpg", 9)
    save(tmp_path / "labels" / "1.png", ids)
    dataset = datasets.landscapes(tmp_path, **WHOLE)
    assert only(dataset)["labels"].tolist() == mapped(ids, lambda n: 182 if n == 255 else n)
    assert dataset.source.info is NAMED_DATASETS["landscapes"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: datasets.ade20k(d, "test"), 'split must be "train" or "val", got \'test\''),
        (lambda d: datasets.ade20k(d, counting="both"), 'counting must be "shifted" or'),
        (lambda d: datasets.cityscapes(d, "test"), 'split must be "train" or "val"'),
        (lambda d: datasets.cityscapes(d, labels="ids"), 'labels must be "trainIds" or'),
        (lambda d: datasets.cmp_facades(d, "train"), 'split must be "base", "extended" or "all"'),
        (lambda d: datasets.camvid(d, num_classes=32), "num_classes must be 11 or 31, got 32"),
        (lambda d: datasets.camvid(d, "train"), "no folder .*train/images"),
        (lambda d: datasets.cityscapes(d), "no folder .*leftImg8bit/train"),
        (lambda d: datasets.ade20k(d), "no folder .*images/training"),
    ],
)
def test_bad_arguments_and_missing_folders_are_named(tmp_path, call, message):
    with pytest.raises(ValueError, match=message):
        call(tmp_path)


def test_the_table_is_whole():
    sizes = {"ade20k": 150, "ade20k_unshifted": 151, "ade20k_outdoor": 150, "camvid": 11}
    sizes |= {"camvid_31": 31, "cityscapes": 19, "cityscapes_label_ids": 35, "cmp_facades": 12}
    sizes |= {"coco_stuff": 182, "landscapes": 182}
    assert {name: NAMED_DATASETS[name].num_classes for name in sizes} == sizes
    for info in NAMED_DATASETS.values():
        assert len(set(info.class_names)) == len(info.class_names)
        assert info.palette is None or len(info.palette) == info.num_classes
        assert hasattr(datasets, info.call.split("(")[0])
    # Copied by hand from the published lists.
    assert NAMED_DATASETS["coco_stuff"].class_names[168] == "tree"
    assert NAMED_DATASETS["coco_stuff"].class_names[90] == "hair brush"
    assert NAMED_DATASETS["ade20k"].class_names[21] == "water"
    assert NAMED_DATASETS["ade20k"].palette[2] == (6, 230, 230)
    assert NAMED_DATASETS["cityscapes"].class_names[11] == "person"
    assert NAMED_DATASETS["camvid"].palette[0] == (128, 128, 128)


def slow_nearest(size_in, size_out):
    ratio = np.float32(np.float32(size_in) / np.float32(size_out))
    return [min(int(np.float32(i) * ratio), size_in - 1) for i in range(size_out)]


def assert_equals_plain_reading(batches, files, size, void_label, num_classes):
    """Compares batches of one sample with plain Pillow / NumPy readings of (image, label) files."""
    for batch, (image_file, label_file) in zip(batches, files, strict=True):
        image = Image.open(image_file).convert("RGB").resize(size[::-1], Image.BICUBIC)
        labels = np.asarray(Image.open(label_file)).astype("int32")
        labels[labels == void_label] = num_classes
        rows, columns = (slow_nearest(a, b) for a, b in zip(labels.shape, size, strict=True))
        wanted = np.asarray(image).astype("float32") / np.float32(127.5) - np.float32(1)
        assert np.array_equal(batch["image"][0], wanted), image_file
        assert np.array_equal(batch["labels"][0], labels[rows][:, columns]), label_file


@pytest.mark.skipif(not (DATA / "camvid").is_dir(), reason="shared/data/camvid is not here")
def test_real_camvid_by_name_and_by_folder():
    size = (150, 200)
    options = {"image_size": size, "shuffle": False, "void_class": True}
    folder = DATA / "camvid" / "val"
    files = list(
        zip(
            sorted((folder / "images").iterdir()),
            sorted((folder / "labels").iterdir()),
            strict=True,
        )
    )
    assert len(files) == 101
    by_name = datasets.camvid(DATA / "camvid", "val", **options)
    by_folder = datasets.paired_folders(folder, num_classes=11, void_label=11, **options)
    for dataset in (by_name, by_folder):
        assert_equals_plain_reading(dataset, files, size, 11, 11)


@pytest.mark.skipif(
    not (DATA / "coco_stuff_sample").is_dir(), reason="shared/data/coco_stuff_sample is not here"
)
def test_real_coco_stuff_by_name_and_by_folder(tmp_path):
    size = (112, 96)
    folders = [DATA / "coco_stuff_sample" / f"train_{kind}" for kind in ("img", "label", "inst")]
    for name, folder in zip(("images", "labels", "instances"), folders, strict=True):
        (tmp_path / name).symlink_to(folder)
    files = [sorted(folder.iterdir()) for folder in folders]
    options = {"image_size": size, "shuffle": False, "void_class": True}
    by_name = datasets.coco_stuff(DATA / "coco_stuff_sample", **options)
    by_folder = datasets.paired_folders(tmp_path, num_classes=182, **options)
    for dataset in (by_name, by_folder):
        assert_equals_plain_reading(dataset, zip(*files[:2], strict=True), size, 255, 182)
        for batch, file in zip(dataset, files[2], strict=True):
            instances = np.asarray(Image.open(file)).astype("int32")
            shapes = zip(instances.shape, size, strict=True)
            rows, columns = (slow_nearest(a, b) for a, b in shapes)
            assert np.array_equal(batch["instances"][0], instances[rows][:, columns])


def test_the_table_of_the_documentation_is_this_one():
    page = (ROOT / "docs" / "data.md").read_text()
    table = load_doc_script("make_dataset_lists").table()
    rows = table.splitlines()
    assert len(rows) == 2 + len(NAMED_DATASETS) and table in page
    for info, row in zip(NAMED_DATASETS.values(), rows[2:], strict=True):
        palette = "published" if info.palette else "none published"
        cells = [info.title, f"`{info.call}`", info.layout, info.num_classes, info.void, palette]
        assert row == f"| {' | '.join(map(str, [*cells, info.citation]))} |"


def test_the_lists_of_the_documentation_are_up_to_date():
    script = load_doc_script("make_dataset_lists")
    for page in script.LISTS:
        text = page.read_text()
        assert text == script.page(page), "run python docs/support/make_dataset_lists.py"
        assert all(name in script.LISTS[page]() for name in PUBLIC_DATASETS)


def test_each_set_has_one_entry():
    files = (ROOT / "keras_spade" / "datasets" / "public").glob("*.py")
    assert set(PUBLIC_DATASETS) == {f.stem for f in files if "\n@published(" in f.read_text()}
    named = {}
    for name, entry in PUBLIC_DATASETS.items():
        assert entry.load is getattr(datasets, name)
        takes = inspect.signature(entry.load).parameters
        assert not any(layout.split for layout in entry.layouts) or "split" in takes
        named |= entry.countings
    assert named == NAMED_DATASETS
    without = ["ade20k", "ade20k_outdoor", "camvid", "cmp_facades"]
    instances = dict.fromkeys(without, False)
    instances |= dict.fromkeys(["cityscapes", "coco_stuff", "landscapes"], True)
    assert {name: PUBLIC_DATASETS[name].has_instances for name in instances} == instances
