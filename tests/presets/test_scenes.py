"""The preset shipped with the package."""

import zlib
from pathlib import Path

import numpy as np

import keras_spade
from keras_spade import GauGAN, SPADEGenerator, datasets

FOLDER = Path(keras_spade.__file__).parent / "presets" / "scenes"


def test_it_is_small_in_the_wheel():
    assert sum(len(zlib.compress(path.read_bytes())) for path in FOLDER.iterdir()) <= 12e6


def test_it_paints_and_knows_its_classes():
    gan = GauGAN.from_preset("scenes")
    assert gan.classes.names == datasets.SCENE_CLASSES
    assert np.array_equal(gan.classes.palette, datasets.SCENE_PALETTE)
    assert min(gan.generator.image_shape[:2]) >= 128 and gan.encoder is not None
    size = gan.generator.image_shape[:2]
    scene = datasets.draw_scenes(1, image_size=size, first_scene=2_000_000, style="varied")
    latents = np.random.default_rng(0).standard_normal((4, gan.generator.latent_dim))
    pictures = gan.generate(np.repeat(scene["labels"], 4, 0), latent=latents).astype(int)
    assert pictures.std((1, 2, 3)).max() > 30  # Not grey noise.
    assert np.abs(pictures - pictures[:1]).mean((1, 2, 3)).max() > 10  # Latents are styles.
    styled = gan.generate(scene["labels"], style_image=scene["image"], seed=0).astype(int)
    assert np.abs(styled - scene["image"]).mean() < 40


def test_its_generator_alone():
    generator = SPADEGenerator.from_preset("scenes", load_weights=False)
    assert generator.classes.names == datasets.SCENE_CLASSES
