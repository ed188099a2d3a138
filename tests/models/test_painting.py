"""Painting prepares maps and photographs of any size as datasets do."""

import keras
import numpy as np
import pytest
from PIL import Image
from support.backends import EAGERLY, only_on

from keras_spade import GauGAN, MultiScaleDiscriminator, SPADEGenerator, StyleEncoder
from keras_spade.datasets import paired_folders, read_image
from keras_spade.models.painting import checked_maps, checked_style, style_tensor

HEIGHT, WIDTH = 32, 64
RNG = np.random.default_rng(0)
# 90 x 100: not a multiple of the network's size.
LABELS = np.kron(RNG.integers(0, 4, (2, 9, 10)), np.ones((10, 10), int)).astype("int32")
INSTANCES = np.kron(np.arange(180).reshape(2, 9, 10), np.ones((10, 10), int)).astype("int32")
PHOTOGRAPHS = np.kron(RNG.integers(0, 256, (2, 18, 20, 3)), np.ones((5, 5, 1), int)).astype("uint8")
LATENT = np.random.default_rng(1).normal(size=(2, 4)).astype("float32")
ROWS = [int(np.float32(i) * np.float32(90 / HEIGHT)) for i in range(HEIGHT)]
COLUMNS = [int(np.float32(i) * np.float32(100 / WIDTH)) for i in range(WIDTH)]


def small(maps):
    return maps[:, ROWS][:, :, COLUMNS]


def edges(ids):
    """Pixels with a neighbour above, below, left or right that has another id."""
    padded = np.pad(ids, ((0, 0), (1, 1), (1, 1)), mode="edge")
    around = padded[:, :-2, 1:-1], padded[:, 2:, 1:-1], padded[:, 1:-1, :-2], padded[:, 1:-1, 2:]
    return np.any([other != ids for other in around], axis=0).astype("float32")


def small_photographs():
    resized = [Image.fromarray(x).resize((WIDTH, HEIGHT), Image.BICUBIC) for x in PHOTOGRAPHS]
    return np.stack([np.asarray(image) for image in resized])


def strengthen(generator):
    """Untrained pictures are nearly grey."""
    for variable in generator.trainable_variables:
        variable.assign(variable * 20)
    inputs = {"labels": small(LABELS), "edges": edges(small(INSTANCES)), "latent": LATENT}
    kernel = generator.get_layer("conv_img").kernel
    kernel.assign(kernel * 0.5 / keras.ops.convert_to_numpy(generator(inputs)).std())


@pytest.fixture(scope="module")
def gan():
    keras.utils.set_random_seed(0)
    common = {"num_classes": 4, "image_shape": (HEIGHT, WIDTH, 3), "instance_edges": True}
    gan = GauGAN(
        SPADEGenerator(**common, latent_dim=4, base_filters=2, hidden_filters=4),
        MultiScaleDiscriminator(**common, base_filters=2, num_scales=1, num_layers=2),
        StyleEncoder((HEIGHT, WIDTH, 3), 4, base_filters=2, resize_to=None, norm="batch"),
    )
    strengthen(gan.generator)
    gan.compile(perceptual_loss=None, run_eagerly=EAGERLY)
    return gan


@pytest.fixture(scope="module")
def wanted(gan):
    """The generator's images for maps that were resized before edges were computed."""
    found = edges(small(INSTANCES))
    thinned = small(edges(INSTANCES))
    assert found.sum() > 1.5 * thinned.sum()
    inputs = {"labels": small(LABELS), "edges": found, "latent": LATENT}
    images = keras.ops.convert_to_numpy(gan.generator(inputs))
    other = keras.ops.convert_to_numpy(gan.generator({**inputs, "edges": thinned}))
    assert images.std() > 0.1 and np.abs(images - other).max() > 0.02
    return images


def as_bytes(images):
    return np.clip(np.round((images.astype("float64") + 1) * 127.5), 0, 255)


def test_generate_finds_edges_in_the_resized_instances(gan, wanted):
    got = gan.generate(LABELS, instances=INSTANCES, latent=LATENT)
    assert np.abs(got - as_bytes(wanted)).max() <= 1
    np.testing.assert_array_equal(
        gan.generate(small(LABELS), instances=small(INSTANCES), latent=LATENT), got
    )


@pytest.mark.parametrize("way", ["call", "predict", "paint_checked"])
def test_all_ways_to_a_picture_do(gan, wanted, way):
    inputs = {"labels": LABELS, "instances": INSTANCES, "latent": LATENT}
    ways = {
        "call": gan,
        "predict": lambda inputs: gan.predict(inputs, verbose=0),
        "paint_checked": gan.paint_checked,
    }
    got = keras.ops.convert_to_numpy(ways[way](inputs))
    np.testing.assert_allclose(got, wanted, atol=2e-4)


def test_a_folder_dataset_gives_what_generate_makes_of_its_files(gan, tmp_path):
    pytest.importorskip("tensorflow")
    folders = {"images": PHOTOGRAPHS, "labels": LABELS, "instances": INSTANCES}
    for folder, arrays in folders.items():
        (tmp_path / folder).mkdir()
        for i, array in enumerate(arrays.astype("uint8")):
            Image.fromarray(array).save(tmp_path / folder / f"{i}.png")
    size = (HEIGHT, WIDTH)
    dataset = paired_folders(tmp_path, num_classes=4, image_size=size, batch_size=2, shuffle=False)
    batch = next(dataset.as_numpy_iterator())
    maps, image = (batch["labels"], batch["instances"]), batch["image"]
    wanted = gan.generate(*maps, style_image=image, seed=3).astype(int)
    for style in (PHOTOGRAPHS, PHOTOGRAPHS / 127.5 - 1):
        got = gan.generate(LABELS, INSTANCES, style_image=style, seed=3)
        assert np.abs(got - wanted).max() <= 1


def test_a_style_of_floats_is_resized_as_images_of_a_range_are(tmp_path):
    pytest.importorskip("tensorflow")
    for folder, array in (("images", RNG.integers(0, 4096, (90, 100, 3))), ("labels", LABELS[0])):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "0.npy", array)
    dataset = paired_folders(tmp_path, 4, (HEIGHT, WIDTH), image_range=(0, 4095))
    (batch,) = dataset.as_numpy_iterator()
    style = read_image(tmp_path / "images" / "0.npy", image_range=(0, 4095))
    got = checked_style(style[None], 1, (HEIGHT, WIDTH, 3))
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, batch["image"])


def test_photographs_are_resized_bicubically_within_a_compiled_call_too(gan):
    shape = (HEIGHT, WIDTH, 3)
    pixels = small_photographs().astype(int)
    given = (PHOTOGRAPHS / 127.5 - 1).astype("float32")
    floats = keras.ops.convert_to_numpy(style_tensor(given, shape))
    difference = np.abs((floats + 1) * 127.5 - pixels)
    assert difference.max() < 2.01 and (difference > 0.01).mean() < 0.2
    small = (pixels / 127.5 - 1).astype("float32")
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(style_tensor(small, shape)), small)


def test_predict_takes_a_style_of_any_size_in_bytes(gan):
    head = gan.encoder.get_layer("log_variance")
    kept = head.get_weights()
    head.set_weights([np.zeros_like(kept[0]), np.full_like(kept[1], -100.0)])  # No spread.
    maps = {"labels": LABELS, "instances": INSTANCES}
    mean, _ = gan.encoder((small_photographs() / 127.5 - 1).astype("float32"))
    want = gan.predict({**maps, "latent": keras.ops.convert_to_numpy(mean)}, verbose=0)
    got = gan.predict({**maps, "style_image": small_photographs()}, verbose=0)
    np.testing.assert_allclose(got, want, atol=2e-4)
    got = gan.predict({**maps, "style_image": PHOTOGRAPHS}, verbose=0)
    assert np.abs(got - want).mean() < 0.01
    head.set_weights(kept)


def test_edges_of_another_size_are_refused(gan, wanted):
    inputs = {"labels": LABELS, "edges": edges(INSTANCES), "latent": LATENT}
    with pytest.raises(ValueError, match=r"`edges` must have shape \(batch, 32, 64\).*`instances`"):
        gan.predict(inputs, verbose=0)
    for white in (1, 255):
        got = gan.predict({**inputs, "edges": white * edges(small(INSTANCES))}, verbose=0)
        np.testing.assert_allclose(got, wanted, atol=2e-4)


@pytest.mark.parametrize("way", ["generate", "predict"])
def test_instances_are_integers(gan, way):
    paint = {
        "generate": lambda x: gan.generate(LABELS, instances=x, latent=LATENT),
        "predict": lambda x: gan.predict(
            {"labels": LABELS, "instances": x, "latent": LATENT}, verbose=0
        ),
    }[way]
    with pytest.raises(ValueError, match="`instances` must be integer ids, got dtype float32"):
        paint((INSTANCES / 2).astype("float32"))


def test_wide_instances_are_not_cut(gan):
    ids = np.array([[[1, 1 + 2**32], [-(2**40), 1]]], "int64")
    arrays = checked_maps(np.zeros(ids.shape, "uint8"), ids, gan.generator)
    (first, second), (third, fourth) = arrays["instances"][0, ::31, ::63].tolist()
    assert len({first, second, third}) == 3 and first == fourth


@pytest.mark.slow_on("tensorflow")
@only_on("tensorflow", "shapes that are open")
def test_maps_whose_size_a_graph_does_not_know(gan, wanted):
    import tensorflow as tf

    open_map = tf.TensorSpec((None, None, None), tf.int32)

    @tf.function(input_signature=[open_map, open_map])
    def paint(labels, instances):
        return gan({"labels": labels, "instances": instances, "latent": LATENT})

    np.testing.assert_allclose(paint(LABELS, INSTANCES), wanted, atol=2e-4)
