"""The Python code of README and docs is what it says: README's runs, names in docs exist.

README's code runs as it stands, on data made here; only its sizes are made small, where the code
calls the package.
"""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.backends import only_on

import keras_spade
from keras_spade import checkpoints

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SIZE = (32, 32)


def blocks(page):
    """The Python code on a page, each block with the number of its first line."""
    text = page.read_text()
    return [
        (text[: match.start(1)].count("\n") + 1, match[1])
        for match in re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    ]


def write_photographs(folder):
    """README's `street`: photographs, and label maps of 19 classes and void."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for number in range(8):
        labels = np.kron(rng.integers(0, 19, (6, 6)), np.ones((8, 8))).astype("uint8")
        labels[:4] = 255
        Image.fromarray(labels).save(folder / "labels" / f"{number}.png")
        image = labels[..., None] // np.array([1, 2, 3], "uint8") * np.uint8(12)
        Image.fromarray(image).save(folder / "images" / f"{number}.jpg")


def write_checkpoint(path, generator):
    """A file like those of the authors' release."""
    torch = pytest.importorskip("torch", reason="PyTorch, which reads .pth files, is not installed")
    path.parent.mkdir(parents=True)
    state = checkpoints.nvlabs_weights(generator)
    torch.save({name: torch.from_numpy(np.array(array)) for name, array in state.items()}, path)


@pytest.fixture
def small(monkeypatch):
    """The package with sizes that a test has time for, whatever is asked for."""

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


@only_on("tensorflow", "tf.data")
def test_training_on_own_photographs_runs(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_photographs(tmp_path / "street")
    run(*blocks(ROOT / "README.md")[0], names={})
    names = {}
    run(*blocks(ROOT / "README.md")[1], names)
    gan = names["gan"]
    assert int(gan.generator_optimizer.iterations) == 2
    labels = np.arange(20)[:, None, None] + np.zeros((1, *SIZE), int)
    assert gan.generate(labels).shape == (20, *SIZE, 3)


@only_on("tensorflow", "once")
def test_all_else_runs(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    theirs = small(182, (256, 256, 3), void_class=True, instance_edges=True, latent_dim=None)
    write_checkpoint(tmp_path / "checkpoints" / "coco_pretrained" / "latest_net_G.pth", theirs)
    (_, first), _, *others = blocks(ROOT / "README.md")
    names = {}
    exec("\n".join(line for line in first.splitlines() if line.startswith("from ")), names)
    assert others
    for line, code in others:
        run(line, code, names)
    for got, want in zip(names["generator"].weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(got, want)


def run(line, code, names):
    """Runs a block of README.md, whose lines stand in tracebacks."""
    exec(compile("\n" * line + code, str(ROOT / "README.md"), "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_in_the_code_exist(page):
    for line, code in blocks(page):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("keras_spade."):
                found = keras_spade
                for name in ast.unparse(node).split(".")[1:]:
                    assert hasattr(found, name), f"{page}:{line}: {ast.unparse(node)}"
                    found = getattr(found, name)
