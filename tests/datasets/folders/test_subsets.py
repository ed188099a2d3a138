"""Validation samples are chosen by name, whatever other samples there are."""

import hashlib

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")

from keras_spade.datasets import cmp_facades, inspect_dataset, paired_folders  # noqa: E402
from keras_spade.datasets.folders.subsets import place_of  # noqa: E402

OPTIONS = {"num_classes": 1, "image_size": (4, 4)}


def make(folder, names):
    for kind, shape, end in (("images", (4, 4, 3), ".jpg"), ("labels", (4, 4), ".png")):
        for name in names:
            path = folder / kind / f"{name}{end}"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros(shape, "uint8")).save(path)


def names_in(dataset):
    return dataset.source.samples.listing.names


def validated(names, share):
    """Computed by hand: the first 16 hexadecimal digits of the SHA-256, as a fraction."""
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    return sorted(name for name in names if int(digests[name][:16], 16) / 16**16 < share)


def test_a_name_has_a_place_of_its_own():
    # sha256("a") = ca978112ca1bbdca..., of "abc" ba7816bf8f01cfea...
    assert place_of("a") == pytest.approx(0xCA978112 / 2**32, abs=1e-9)
    assert place_of("abc") == pytest.approx(0xBA7816BF / 2**32, abs=1e-9)
    share = np.mean([place_of(f"frame_{number:05}") < 0.2 for number in range(5000)])
    assert abs(share - 0.2) < 4 * (0.2 * 0.8 / 5000) ** 0.5


def test_subsets_are_the_whole_and_share_no_sample(tmp_path):
    names = sorted(["street/1", *(str(number) for number in range(30))])
    make(tmp_path, names)
    training, validation = (
        paired_folders(tmp_path, **OPTIONS, validation_split=0.3, subset=subset, seed=seed)
        for subset, seed in (("training", 1), ("validation", 2))
    )
    assert names_in(validation) == validated(names, 0.3)
    assert sorted(names_in(training) + names_in(validation)) == names
    assert len(list(validation)) == len(validated(names, 0.3)) == len(validation)
    assert "validation_split=0.3" in inspect_dataset(validation, verbose=0).call


def test_samples_stay_where_they_are_when_others_come(tmp_path):
    make(tmp_path, "abcdefghij")
    options = {**OPTIONS, "validation_split": 0.5}
    before = paired_folders(tmp_path, **options, subset="both")
    make(tmp_path, [f"new_{number}" for number in range(10)])
    after = paired_folders(tmp_path, **options, subset="both")
    for old, new in zip(before, after, strict=True):
        assert set(names_in(old)) < set(names_in(new))
    assert after[0].source.call.arguments["crop"] == "random"
    still = {"shuffle": False, "flip": False, "crop": "center", "subset": "validation"}
    assert still.items() <= after[1].source.call.arguments.items()


def test_parts_and_named_sets_are_split_too(tmp_path):
    make(tmp_path, [])
    for part in ("Tile 1", "Tile 2"):
        make(tmp_path / part, "abcdef")
    names = [f"{part}/{name}" for part in ("Tile 1", "Tile 2") for name in "abcdef"]
    folders = {"image_folder": "*/images", "label_folder": "*/labels"}
    options = {**OPTIONS, **folders, "validation_split": 0.4}
    for subset in ("training", "validation"):
        found = names_in(paired_folders(tmp_path, **options, subset=subset))
        kept = validated(names, 0.4)
        assert found == (kept if subset == "validation" else [n for n in names if n not in kept])
    (tmp_path / "base").mkdir()
    for path in (tmp_path / "Tile 1").rglob("*.*"):
        path.rename(tmp_path / "base" / path.name)
    both = cmp_facades(tmp_path, "base", validation_split=0.4, subset="both")
    kept = validated([f"base/{name}" for name in "abcdef"], 0.4)
    assert names_in(both[1]) == kept and len(names_in(both[0])) == 6 - len(kept)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"subset": "validation"}, "validation_split and subset must be given together"),
        ({"validation_split": 0.2}, "validation_split and subset must be given together"),
        (
            {"validation_split": 1.0, "subset": "both"},
            "between 0 and 1, such as 0.1; got 1.0",
        ),
        ({"validation_split": "val", "subset": "both"}, "must be between 0 and 1, .* got 'val'"),
        (
            {"validation_split": 0.2, "subset": "test"},
            "must be 'training', 'validation', 'both'",
        ),
        ({"validation_split": 1e-9, "subset": "validation"}, "leaves none of 2 samples .* valid"),
    ],
)
def test_what_makes_no_subset_is_reported(tmp_path, arguments, message):
    make(tmp_path, "ab")
    with pytest.raises(ValueError, match=message):
        paired_folders(tmp_path, **OPTIONS, **arguments)
