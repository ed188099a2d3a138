import json
import re

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_spade.datasets import paired_folders, tfrecords, write_tfrecords  # noqa: E402

COUNT = 7
SIZE = (12, 16)


@pytest.fixture
def tree(tmp_path):
    """Photographs of several kinds, ids with void, and instance ids of 8, 16 and 32 bits."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels", "ids"):
        (tmp_path / "street" / name).mkdir(parents=True)
    for k in range(COUNT):
        image = Image.fromarray(rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8))
        labels = rng.integers(0, 4, SIZE, dtype=np.uint8)
        labels[0, 0] = 255
        instances = np.arange(SIZE[0] * SIZE[1]).reshape(SIZE) * 256**k // 7 % 2**31
        suffix = (".jpg", ".png", ".bmp", ".webp")[k % 4]
        image.convert("L" if k == 5 else "RGB").save(tmp_path / f"street/images/{k}{suffix}")
        Image.fromarray(labels).save(tmp_path / f"street/labels/{k}.png")
        np.save(tmp_path / f"street/ids/{k}.npy", instances)
    return tmp_path / "street"


@pytest.fixture
def records(tree, tmp_path):
    assert write_tfrecords(files(tree), tmp_path / "records", samples_per_shard=3, verbose=0) == 7
    return tmp_path / "records"


CROPS = {"batch_size": 2, "load_size": (11, 15), "flip": True, "seed": 3}


def files(tree, **options):
    return paired_folders(
        tree,
        4,
        options.pop("image_size", (8, 9)),
        instance_folder="ids",
        void_class=True,
        **options,
    )


def test_records_give_the_batches_of_the_files(tree, records):
    from_files = files(tree, **CROPS)
    from_records = tfrecords(records, (8, 9), **CROPS)
    for _ in range(2):
        for one, other in zip(from_files, from_records, strict=True):
            assert one.keys() == other.keys()
            for key in one:
                assert np.array_equal(one[key], other[key]), key


def test_the_format_is_that_of_the_documentation(tree, records):
    assert sorted(path.name for path in records.iterdir()) == [
        "index.json",
        *(f"samples-0000{k}-of-00003.tfrecord" for k in range(3)),
    ]
    index = json.loads((records / "index.json").read_text())
    shards = index.pop("shards")
    assert index == {
        "format": "keras_spade samples 1",
        "num_classes": 4,
        "void_class": True,
        "instances": True,
    }
    assert [len(shard["lengths"]) for shard in shards] == [3, 3, 1]
    paths = [str(records / shard["file"]) for shard in shards]
    # TensorFlow's own reader finds complete records, with correct checksums.
    for k, record in enumerate(tf.data.TFRecordDataset(paths).as_numpy_iterator()):
        features = tf.train.Example.FromString(record).features.feature
        values = {key: value.bytes_list.value[0] for key, value in features.items()}
        (image,) = (tree / "images").glob(f"{k}.*")
        assert values["name"].decode() == str(image)
        if image.suffix in (".jpg", ".webp"):
            assert values["image"] == image.read_bytes()
        labels = np.asarray(Image.open(tree / f"labels/{k}.png")).astype(int)
        labels[labels == 255] = 4
        assert np.array_equal(tf.io.decode_png(values["labels"])[..., 0], labels)


def test_a_damaged_record_is_named(tree, records):
    path = records / "samples-00001-of-00003.tfrecord"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    wanted = rf"{re.escape(path.name)}, record 0: damaged, its checksum"
    with pytest.raises(tf.errors.InvalidArgumentError, match=wanted):
        list(tfrecords(records, SIZE, shuffle=False))
    dataset = tfrecords(records, SIZE, shuffle=False, on_bad_file="skip")
    labels = [batch["labels"][0].numpy() for batch in dataset]
    assert len(labels) == 7 and np.array_equal(labels[3], labels[4])
    assert list(dataset.source.samples.skipped) == ["record 3"]


def test_a_shard_that_was_cut_short_is_named_at_once(records):
    path = records / "samples-00002-of-00003.tfrecord"
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match=rf"{path.name} has {size - 9} bytes, .* expects {size}"):
        tfrecords(records)
    path.unlink()
    with pytest.raises(ValueError, match=rf"{path.name} is missing"):
        tfrecords(records)


def test_a_set_that_was_not_written_to_its_end_is_reported(records):
    (records / "index.json").unlink()
    with pytest.raises(ValueError, match=r"index\.json: no index of records .*write_tfrecords"):
        tfrecords(records)
    (records / "index.json").write_text("{}")
    with pytest.raises(ValueError, match=r"index\.json: no index of records .*format"):
        tfrecords(records)


def test_what_cannot_be_written_is_reported(tree, records, tmp_path):
    with pytest.raises(ValueError, match=r"directory must not contain index\.json"):
        write_tfrecords(files(tree), records, verbose=0)
    with pytest.raises(ValueError, match="dataset must be made by paired_folders"):
        write_tfrecords(tf.data.Dataset.range(3), tmp_path / "other", verbose=0)
    (tree / "images" / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"images/1\.png: cannot be read as an image"):
        write_tfrecords(files(tree), tmp_path / "third", verbose=0)
    assert not (tmp_path / "third" / "index.json").exists()


def test_bad_files_are_left_out_when_asked(tree, tmp_path, capsys):
    (tree / "images" / "1.png").write_bytes(b"no image")
    dataset = files(tree, on_bad_file="skip")
    assert write_tfrecords(dataset, tmp_path / "fewer", samples_per_shard=1) == 6
    assert list(dataset.source.samples.skipped) == [str(tree / "images" / "1.png")]
    assert "7/7" in capsys.readouterr().out
    written = list(tfrecords(tmp_path / "fewer", SIZE, shuffle=False))
    kept = [k for k in range(7) if k != 1]
    for k, batch in zip(kept, written, strict=True):
        labels = np.asarray(Image.open(tree / f"labels/{k}.png")).astype(int)
        assert np.array_equal(batch["labels"][0], np.where(labels == 255, 4, labels))
