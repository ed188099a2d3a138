"""The named architectures and the shipped presets."""

from dataclasses import dataclass, field

from keras_spade.class_info import ClassInfo
from keras_spade.datasets import NAMED_DATASETS


@dataclass(frozen=True)
class Architecture:
    """Generator and discriminator of a given size for a dataset, without weights.

    Args:
        description: one line.
        dataset: its name in `datasets.NAMED_DATASETS`.
        image_shape: `(height, width, channels)`.
        inputs: the optional inputs: `void_class`, `instance_edges`.
        generator: further arguments of `SPADEGenerator`.
        discriminator: further arguments of `MultiScaleDiscriminator`.
    """

    description: str
    dataset: str
    image_shape: tuple[int, int, int]
    inputs: dict = field(default_factory=dict)
    generator: dict = field(default_factory=dict)
    discriminator: dict = field(default_factory=dict)

    def config(self) -> dict:
        """The config of a `GauGAN`, as Keras serializes it."""
        shared = {
            "num_classes": NAMED_DATASETS[self.dataset].num_classes,
            "image_shape": list(self.image_shape),
            "dtype": None,  # The current policy.
            **self.inputs,
        }
        networks = {
            "generator": _config("SPADEGenerator", {**shared, "latent_dim": None} | self.generator),
            "discriminator": _config("MultiScaleDiscriminator", {**shared, **self.discriminator}),
        }
        return _config("GauGAN", networks)

    def classes(self) -> ClassInfo:
        """Names and published colours of its classes."""
        named = NAMED_DATASETS[self.dataset]
        return ClassInfo(named.class_names, named.palette)


def _config(name, config):
    return {
        "module": "keras_spade",
        "class_name": name,
        "config": config,
        "registered_name": f"keras_spade>{name}",
    }


def _sizes(base_filters, hidden_filters, discriminator_filters):
    gain = {"initial_gain": 1.0}  # Small networks are trained for few steps.
    return {
        "generator": {"base_filters": base_filters, "hidden_filters": hidden_filters, **gain},
        "discriminator": {"base_filters": discriminator_filters, **gain},
    }


SQUARE, WIDE = (256, 256, 3), (256, 512, 3)
VOID, VOID_AND_EDGES = {"void_class": True}, {"void_class": True, "instance_edges": True}
SMALL, TINY = _sizes(32, 64, 32), _sizes(16, 32, 32)

ARCHITECTURES = {
    "coco_stuff_256": Architecture(
        "The paper's, for COCO-Stuff: 182 classes, void and edges",
        "coco_stuff",
        SQUARE,
        VOID_AND_EDGES,
    ),
    "ade20k_256": Architecture(
        "The paper's, for ADE20K: 150 classes, void", "ade20k", SQUARE, VOID
    ),
    "ade20k_outdoor_256": Architecture(
        "The paper's, for ADE20K-outdoor: 150 classes, void", "ade20k_outdoor", SQUARE, VOID
    ),
    "cityscapes_512": Architecture(
        "The paper's, for Cityscapes: 35 label ids, edges, 256 x 512",
        "cityscapes_label_ids",
        WIDE,
        {"instance_edges": True},
    ),
    "landscapes_256": Architecture(
        "The paper's, for Flickr Landscapes: 182 classes, void", "landscapes", SQUARE, VOID
    ),
    "facades_256": Architecture(
        "The paper's width, for CMP Facades: 12 classes, void",
        "cmp_facades",
        SQUARE,
        VOID,
    ),
    "coco_stuff_256_small": Architecture(
        "Half the paper's width, for one GPU such as Colab's T4",
        "coco_stuff",
        SQUARE,
        VOID_AND_EDGES,
        **SMALL,
    ),
    "facades_256_small": Architecture(
        "Half the paper's width, for one GPU such as Colab's T4",
        "cmp_facades",
        SQUARE,
        VOID,
        **SMALL,
    ),
    "facades_128_tiny": Architecture(
        "A quarter of the paper's width at 128 x 128, for CPUs",
        "cmp_facades",
        (128, 128, 3),
        VOID,
        **TINY,
    ),
}
"""The architectures by name."""

PRESETS = {
    "scenes": "Trained on the built-in drawn scenes: 14 classes, 128 x 128, styles",
    **{name: f"{one.description}; no weights" for name, one in ARCHITECTURES.items()},
}
"""A description of each preset, by name."""
