from functools import lru_cache

import numpy as np
import pytest

from keras_spade.datasets.scenes.synthetic_scenes import (
    SCENE_CLASSES,
    SCENE_PALETTE,
    draw_scenes,
    synthetic_scenes,
)

IDS = {name: place for place, name in enumerate(SCENE_CLASSES)}


@lru_cache
def many_scenes():
    return draw_scenes(200, image_size=(64, 64))


def colours_of(scenes, name):
    return scenes["image"][scenes["labels"] == IDS[name]].astype("float64")


def epoch_of(data):
    batches = [{name: value.numpy() for name, value in batch.items()} for batch in data]
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def bytes_of(images):
    return np.round((images + 1.0) * 127.5).astype("uint8")


@pytest.mark.parametrize("style", ["day", "varied"])
def test_scene_is_a_pure_function_of_seed_and_index(style):
    np.random.seed(0)
    four = draw_scenes(4, image_size=(40, 56), seed=3, style=style)
    np.random.seed(1)
    one = draw_scenes(1, image_size=(40, 56), seed=3, first_scene=2, style=style)
    for name in ("labels", "instances", "image"):
        np.testing.assert_array_equal(four[name][2], one[name][0])
        assert not np.array_equal(four[name][1], one[name][0])
    other = draw_scenes(1, image_size=(40, 56), seed=4, first_scene=2, style=style)
    assert not np.array_equal(other["labels"], one["labels"])


def test_shapes_and_dtypes():
    scenes = draw_scenes(3, image_size=(33, 47))
    assert scenes["labels"].shape == scenes["instances"].shape == (3, 33, 47)
    assert scenes["image"].shape == (3, 33, 47, 3)
    dtypes = [scenes[name].dtype for name in ("labels", "instances", "image")]
    assert dtypes == ["int32", "int32", "uint8"]


@pytest.mark.parametrize("image_size", [(32, 32), (32, 200), (160, 32)])
def test_odd_sizes_are_drawn(image_size):
    scenes = draw_scenes(40, image_size=image_size, seed=1, style="varied")
    assert scenes["labels"].min() >= 0 and scenes["labels"].max() < len(SCENE_CLASSES)
    assert scenes["instances"].min() == 1


def test_every_class_occurs_and_no_other():
    labels = many_scenes()["labels"]
    assert set(np.unique(labels)) == set(range(len(SCENE_CLASSES)))


def test_palette_has_a_colour_of_its_own_for_each_class():
    assert SCENE_PALETTE.shape == (len(SCENE_CLASSES), 3) and SCENE_PALETTE.dtype == "uint8"
    apart = np.abs(SCENE_PALETTE[:, None].astype(int) - SCENE_PALETTE[None]).sum(-1)
    assert apart[~np.eye(len(SCENE_CLASSES), dtype=bool)].min() > 30


def test_instances_are_numbered_without_gaps():
    for instances in many_scenes()["instances"]:
        np.testing.assert_array_equal(np.unique(instances), np.arange(1, instances.max() + 1))


def test_an_instance_is_one_thing():
    """One id never spans two classes, except for the parts of a house or a tree."""
    house = {IDS[name] for name in ("wall", "roof", "window", "door")}
    tree = {IDS[name] for name in ("tree", "trunk")}
    whole_houses = whole_trees = 0
    for labels, instances in zip(many_scenes()["labels"], many_scenes()["instances"], strict=True):
        for instance in range(1, instances.max() + 1):
            classes = set(np.unique(labels[instances == instance]).tolist())
            assert len(classes) == 1 or classes <= house or classes <= tree, classes
            whole_houses += classes == house
            whole_trees += classes == tree
    assert whole_houses > 50 and whole_trees > 200


def test_different_things_of_a_class_have_different_ids():
    """Sky, grass and water are one instance each; trees, clouds and houses are counted."""
    most = dict.fromkeys(("sky", "sun", "grass", "water", "path", "tree", "cloud", "wall"), 0)
    for labels, instances in zip(many_scenes()["labels"], many_scenes()["instances"], strict=True):
        for name in most:
            most[name] = max(most[name], np.unique(instances[labels == IDS[name]]).size)
    assert [most[name] for name in ("sky", "sun", "grass", "water", "path")] == [1] * 5
    assert most["tree"] >= 6 and most["cloud"] >= 3 and most["wall"] >= 3


def test_image_follows_the_labels():
    scenes = many_scenes()
    sky, grass = colours_of(scenes, "sky").mean(0), colours_of(scenes, "grass").mean(0)
    assert sky[2] > sky[1] > sky[0] and sky[2] > grass[2] + 80
    assert grass[1] > grass[0] + 20 and grass[1] > grass[2] + 60
    roof, water = colours_of(scenes, "roof").mean(0), colours_of(scenes, "water").mean(0)
    assert roof[0] > 1.8 * roof[1] and water[2] > water[0] + 40
    assert colours_of(scenes, "cloud").min(-1).mean() > 190
    assert colours_of(scenes, "trunk").mean() < 110 < colours_of(scenes, "wall").mean()


def test_a_class_says_much_about_the_colour_and_not_all():
    """Class means explain most of the variance; the texture within a class is not flat."""
    scenes = many_scenes()
    image = scenes["image"].astype("float64")
    flat = np.stack([colours_of(scenes, name).mean(0) for name in SCENE_CLASSES])
    left = image - flat[scenes["labels"]]
    explained = 1.0 - (left**2).mean() / ((image - image.mean((0, 1, 2))) ** 2).mean()
    assert 0.7 < explained < 0.98
    for name in SCENE_CLASSES:
        assert colours_of(scenes, name).std(0).max() > 4.0, name


def test_sky_is_brightest_at_the_horizon():
    scenes = many_scenes()
    for labels, image in zip(scenes["labels"][:20], scenes["image"][:20], strict=True):
        rows = np.nonzero(labels == IDS["sky"])[0]
        low, high = np.quantile(rows, [0.9, 0.1])
        sky = labels == IDS["sky"]
        place = np.arange(64)[:, None]
        assert image[sky & (place >= low)].mean() > image[sky & (place <= high)].mean() + 10


def test_layouts_vary():
    labels = many_scenes()["labels"]
    share = np.stack([(labels == place).mean((1, 2)) for place in range(len(SCENE_CLASSES))])
    assert share[IDS["sky"]].std() > 0.06 and share[IDS["grass"]].std() > 0.06
    for name in ("sun", "cloud", "mountain", "water", "path", "tree", "wall"):
        assert 0.2 < (share[IDS[name]] > 0).mean() < 0.95, name


def test_style_changes_the_image_alone():
    day = draw_scenes(12, image_size=(48, 64))
    varied = draw_scenes(12, image_size=(48, 64), style="varied")
    np.testing.assert_array_equal(day["labels"], varied["labels"])
    np.testing.assert_array_equal(day["instances"], varied["instances"])
    warmth = [
        (scenes["image"][..., 0].astype(int) - scenes["image"][..., 2]).mean((1, 2))
        for scenes in (day, varied)
    ]
    assert np.ptp(warmth[1] - warmth[0]) > 20


def test_batches_are_the_drawn_scenes():
    drawn = draw_scenes(7, image_size=(32, 48), seed=5, first_scene=9)
    data = synthetic_scenes(7, (32, 48), batch_size=3, seed=5, first_scene=9, shuffle=False)
    batches = list(data)
    assert len(batches) == 2 and int(data.cardinality()) == 2
    spec = data.element_spec
    assert spec["labels"].shape == spec["instances"].shape == (3, 32, 48)
    assert spec["image"].shape == (3, 32, 48, 3)
    assert [spec[name].dtype.name for name in ("labels", "instances", "image")] == [
        "int32",
        "int32",
        "float32",
    ]
    epoch = epoch_of(data)
    assert -1.0 <= epoch["image"].min() < -0.5 and 0.5 < epoch["image"].max() <= 1.0
    for name in ("labels", "instances"):
        np.testing.assert_array_equal(epoch[name], drawn[name][:6])
    np.testing.assert_array_equal(bytes_of(epoch["image"]), drawn["image"][:6])
    kept = epoch_of(
        synthetic_scenes(7, (32, 48), batch_size=3, shuffle=False, drop_remainder=False)
    )
    assert kept["labels"].shape == (7, 32, 48)


def test_flips_are_joint():
    drawn = draw_scenes(24, image_size=(32, 40))
    data = synthetic_scenes(24, (32, 40), batch_size=4, shuffle=False, augment=True)
    flips = []
    for _ in range(2):
        epoch = epoch_of(data)
        epoch["image"] = bytes_of(epoch["image"])
        flipped = [
            not np.array_equal(got, was)
            for got, was in zip(epoch["image"], drawn["image"], strict=True)
        ]
        for name, arrays in drawn.items():
            for got, was, flip in zip(epoch[name], arrays, flipped, strict=True):
                np.testing.assert_array_equal(got, was[:, ::-1] if flip else was)
        flips.append(flipped)
    assert 4 < sum(flips[0]) < 20 and flips[0] != flips[1]


@pytest.mark.parametrize("augment", [False, True])
def test_same_seed_same_epochs(augment):
    first, second = (
        synthetic_scenes(16, (32, 32), batch_size=4, seed=3, augment=augment) for _ in range(2)
    )
    for _ in range(2):
        one, other = epoch_of(first), epoch_of(second)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_each_epoch_has_another_order_of_the_same_scenes():
    data = synthetic_scenes(16, (32, 32), batch_size=4)
    drawn = [labels.tobytes() for labels in draw_scenes(16, (32, 32))["labels"]]
    orders = [[drawn.index(labels.tobytes()) for labels in epoch_of(data)["labels"]] for _ in "ab"]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(16))
    assert orders[0] != orders[1] and orders[0] != list(range(16))


@pytest.mark.parametrize("draw", [draw_scenes, synthetic_scenes])
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_scenes": 0}, r"`num_scenes` must be an int of at least 1, got 0"),
        ({"num_scenes": 2.5}, r"`num_scenes` .* got 2.5"),
        ({"image_size": (31, 64)}, r"`image_size` .* at least 32, got \(31, 64\)"),
        ({"image_size": 64}, r"`image_size` must be a pair .* got 64"),
        ({"image_size": (64, 64, 3)}, r"`image_size` must be a pair .* got \(64, 64, 3\)"),
        ({"image_size": (64.0, 64)}, r"`image_size` must be a pair"),
        ({"seed": -1}, r"`seed` must be an int of at least 0, got -1"),
        ({"first_scene": -2}, r"`first_scene` must be an int of at least 0, got -2"),
        ({"style": "night"}, r"`style` must be 'day' or 'varied'. Got 'night'"),
    ],
)
def test_bad_scene_arguments_are_named(draw, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(**{"num_scenes": 8, **arguments})


def test_bad_batch_size_is_named():
    with pytest.raises(ValueError, match=r"`batch_size` must be an int of at least 1, got 0"):
        synthetic_scenes(4, (32, 32), batch_size=0)
    with pytest.raises(ValueError, match=r"`batch_size` must be at most `num_scenes`.*=8.*=4"):
        synthetic_scenes(4, (32, 32), batch_size=8)
    data = synthetic_scenes(4, (32, 32), batch_size=8, drop_remainder=False)
    assert epoch_of(data)["labels"].shape == (4, 32, 32)
