"""README's Python code runs, and the names in the code of all pages exist.

README's code runs unchanged on data created here; only the sizes are reduced in calls of the
package.
"""

import ast
from pathlib import Path

import numpy as np
import pytest
from support.backends import only_on
from support.page_blocks import blocks, write_checkpoint, write_photographs

import keras_spade

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SIZE = (32, 32)


@pytest.fixture
def small(monkeypatch):
    """The package with sizes small enough for a test, whatever the arguments are."""

    def network(cls, **widths):
        return lambda num_classes, image_shape, **arguments: cls(
            num_classes, (*SIZE, image_shape[2]), **widths, **arguments
        )

    generator = network(keras_spade.SPADEGenerator, base_filters=2, hidden_filters=4)
    discriminator = network(keras_spade.MultiScaleDiscriminator, base_filters=2)
    monkeypatch.setattr(keras_spade, "SPADEGenerator", generator)
    monkeypatch.setattr(keras_spade, "MultiScaleDiscriminator", discriminator)
    folders, fit = keras_spade.datasets.paired_folders, keras_spade.GauGAN.fit

    def paired_folders(directory, num_classes, image_size, load_size, **arguments):
        return folders(directory, num_classes, SIZE, load_size=(36, 36), **arguments)

    monkeypatch.setattr(keras_spade.datasets, "paired_folders", paired_folders)
    monkeypatch.setattr(
        keras_spade.GauGAN,
        "fit",
        lambda self, *args, epochs, **kwargs: fit(self, *args, epochs=2, verbose=0, **kwargs),
    )
    return generator


@pytest.mark.slow
@only_on("tensorflow", "tf.data")
def test_training_on_own_photographs_runs(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photographs(tmp_path / "street")
    blocks(ROOT / "README.md")[0].run(names={})
    names = {}
    blocks(ROOT / "README.md")[1].run(names)
    gan = names["gan"]
    assert int(gan.generator_optimizer.iterations) == 2
    labels = np.arange(20)[:, None, None] + np.zeros((1, *SIZE), int)
    assert gan.generate(labels).shape == (20, *SIZE, 3)


@only_on("tensorflow", "once")
def test_the_authors_weights_load(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    theirs = small(182, (256, 256, 3), void_class=True, instance_edges=True, latent_dim=None)
    write_checkpoint(tmp_path / "checkpoints" / "coco_pretrained" / "latest_net_G.pth", theirs)
    names = {}
    blocks(ROOT / "docs" / "authors_checkpoints.md")[0].run(names)
    for got, want in zip(names["generator"].weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_in_the_code_exist(page):
    for block in blocks(page):
        for node in ast.walk(ast.parse(block.code)):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("keras_spade."):
                found = keras_spade
                for name in ast.unparse(node).split(".")[1:]:
                    assert hasattr(found, name), f"{page}:{block.line}: {ast.unparse(node)}"
                    found = getattr(found, name)
