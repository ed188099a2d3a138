"""Writes docs/images/preset_24.png and preset_styles.png: what the preset "scenes" paints.

PYTHONPATH=. python docs/support/make_preset_pictures.py

The scenes are drawn ones that the preset was not trained on, in their order, none left out.
"""

from pathlib import Path

import keras
import numpy as np

from keras_spade import GauGAN, callbacks, datasets

IMAGES = Path(__file__).resolve().parents[1] / "images"
UNSEEN = 1_000_000  # The number of the first scene.


def scenes(first, count, gan):
    """A batch of drawn scenes from scene `first` on, in all light and weather."""
    size = gan.generator.image_shape[:2]
    return datasets.draw_scenes(count, image_size=size, first_scene=first, style="varied")


def painted_24(gan):
    """24 label maps, each beside its picture, in four columns; a seed for each eight of them."""
    labels = scenes(UNSEEN, 24, gan)["labels"]
    pictures = [gan.generate(labels[8 * seed : 8 * seed + 8], seed=seed) for seed in range(3)]
    pictures = np.concatenate(pictures)
    columns = [
        callbacks.draw_grid(labels[i::4], pictures[i::4], palette=gan.classes.palette)
        for i in range(4)
    ]
    gap = np.full((len(columns[0]), 6, 3), 255, "uint8")
    return np.concatenate([part for column in columns for part in (column, gap)][:-1], axis=1)


def styles(gan):
    """Label map, drawn picture, painted in its style, and in five random styles."""
    batch = scenes(UNSEEN + 100, 6, gan)
    pictures = [gan.generate(batch["labels"], style_image=batch["image"], seed=0)]
    pictures += [gan.generate(batch["labels"], seed=seed) for seed in range(5)]
    return callbacks.draw_grid(
        batch["labels"], batch["image"], *pictures, palette=gan.classes.palette
    )


def main():
    """Paints both pictures."""
    gan = GauGAN.from_preset("scenes")
    keras.utils.save_img(IMAGES / "preset_24.png", painted_24(gan), scale=False)
    keras.utils.save_img(IMAGES / "preset_styles.png", styles(gan), scale=False)


if __name__ == "__main__":
    main()
