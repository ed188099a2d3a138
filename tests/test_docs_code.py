"""The Python code of the pages in docs/ runs, page by page, its blocks sharing one namespace.

Slow parts are replaced by stand-ins that accept the same arguments: networks are tiny, and `fit`,
`calibrate` and, except on its own page, `export` do nothing. (test_readme.py runs README's training
unchanged.) A comment before each block that cannot run here gives the reason.
"""

import inspect
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from support.backends import only_on
from support.page_blocks import blocks, write_checkpoint, write_maps, write_photographs
from support.tiny_gan import tiny_batch, tiny_gan
from support.tiny_generator import TinyGenerator

import keras_spade
from keras_spade import losses, metrics

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if blocks(page)]
# Pages whose code traces a full generator or writes exports.
SLOW = {"export.md", "getting_started.md", "painting.md", "presets.md"}
# Pages with independent blocks.
INDEPENDENT = {"training.md"}
# Pages about the paper's layers, with networks as narrow as possible.
KEEP_LAYERS = {"authors_checkpoints.md", "export.md"}
SIZE = (32, 32)
REAL = {
    name: getattr(keras_spade, name)
    for name in ("SPADEGenerator", "MultiScaleDiscriminator", "StyleEncoder", "GauGAN")
}


def generator(num_classes=3, image_shape=(*SIZE, 3), latent_dim=2, **options):
    """Instead of a `SPADEGenerator`; for `SPADEGenerator(...)`, as on pages, that of `tiny_gan`."""
    if num_classes is ...:
        num_classes, image_shape = 3, (*SIZE, 3)
    options.pop("initial_gain", None)
    return TinyGenerator(num_classes, (*SIZE, image_shape[2]), latent_dim=latent_dim, **options)


def paper_generator(num_classes, image_shape, **options):
    """A `SPADEGenerator` with the paper's layers and minimal width."""
    shape, widths = (*SIZE, image_shape[2]), {"base_filters": 2, "hidden_filters": 4}
    return REAL["SPADEGenerator"](num_classes, shape, **widths, **options)


def discriminator(num_classes=3, image_shape=(*SIZE, 3), **options):
    """Instead of a `MultiScaleDiscriminator`."""
    if num_classes is ...:
        num_classes, image_shape = 3, (*SIZE, 3)
    shape = (*SIZE, image_shape[2])
    small = {"base_filters": 1, "num_scales": 1, "num_layers": 2, "modulation": "dense"}
    return REAL["MultiScaleDiscriminator"](num_classes, shape, **small | options)


def encoder(image_shape, latent_dim=256, **options):
    """Instead of a `StyleEncoder`."""
    shape = (*SIZE, image_shape[2])
    small = {"base_filters": 1, "resize_to": (128, 128)}
    return REAL["StyleEncoder"](shape, latent_dim, **small | options)


def doing_nothing(method, result=None):
    """A method that accepts the arguments of another and does nothing."""

    def stand_in(self, *args, **kwargs):
        inspect.signature(method).bind(self, *args, **kwargs)
        return result

    return stand_in


def colour_features(images):
    """Three features of each image."""
    return np.asarray(images, "float32").mean((1, 2))


@pytest.fixture
def small(monkeypatch, request):
    """The package with tiny networks, and without slow parts."""
    page = request.node.callspec.params["page"].name
    networks = {
        "SPADEGenerator": paper_generator if page in KEEP_LAYERS else generator,
        "MultiScaleDiscriminator": discriminator,
        "StyleEncoder": encoder,
    }
    for name, stand_in in networks.items():
        for attribute in ("from_preset", "presets"):
            if hasattr(REAL[name], attribute):
                setattr(stand_in, attribute, getattr(REAL[name], attribute))
        monkeypatch.setattr(keras_spade, name, stand_in)
    gan, compiled = REAL["GauGAN"], REAL["GauGAN"].compile
    monkeypatch.setattr(
        gan,
        "compile",
        lambda self, *args, **kwargs: compiled(self, *args, **{"perceptual_loss": None} | kwargs),
    )
    monkeypatch.setattr(gan, "fit", doing_nothing(gan.fit, keras.callbacks.History()))
    monkeypatch.setattr(gan, "calibrate", doing_nothing(gan.calibrate))
    if page != "export.md":
        monkeypatch.setattr(gan, "export", doing_nothing(gan.export))
    # Weights files that do not exist.
    monkeypatch.setattr(metrics, "VGG16Features", lambda weights: colour_features)
    loss = losses.PerceptualLoss
    monkeypatch.setattr(losses, "PerceptualLoss", lambda file, network: loss(None, network=network))


def write_data(page):
    """Writes the files that a page reads."""
    if page == "getting_started.md":
        write_photographs(Path("street"))
    if page in ("data.md", "coming_from_monai.md"):
        write_maps(Path("ct/labels"), ["1"], 5)
        Path("ct/images").mkdir()
        ct = np.linspace(0, 2000, 48 * 48).reshape(48, 48)
        Image.fromarray(ct.astype("uint16")).save("ct/images/1.tif")
    if page == "data.md":
        write_photographs(Path("street"), samples=12)  # "9" is held out for validation.
        write_maps(Path("satellite/labels"), ["1"], 9)
        Path("satellite/images").mkdir()
        np.save("satellite/images/1.npy", np.ones((48, 48, 13), "uint16"))
        write_photographs(Path("coco_stuff"), 2, 182, "train_img", "train_label")
        Path("maps/train").mkdir(parents=True)
        pair = np.kron(np.arange(4).reshape(1, 4) * 60, np.ones((16, 8))).astype("uint8")
        Image.fromarray(np.stack([pair] * 3, -1)).save("maps/train/1.png")
    if page == "authors_checkpoints.md":
        options = {"void_class": True, "instance_edges": True, "latent_dim": None}
        path = Path("checkpoints/coco_pretrained/latest_net_G.pth")
        write_checkpoint(path, paper_generator(182, (256, 256, 3), **options))
    if page == "watching.md":
        pytest.importorskip("tensorboard", reason="TensorBoard, which the page uses, is missing")
    if page == "export.md":
        for library in ("tf2onnx", "onnxruntime"):
            pytest.importorskip(library)
        shape = (256, 256, 3)
        options = {"num_classes": 3, "image_shape": shape}
        networks = paper_generator(**options, latent_dim=None), discriminator(**options)
        keras_spade.GauGAN(*networks).save("street.keras")


def names_before():
    """The names that a page uses but does not define: a model, batches, a dataset, libraries."""
    import tensorflow as tf

    keras.config.set_dtype_policy("float32")
    batch = tiny_batch()
    data = tf.data.Dataset.from_tensor_slices(batch).batch(2)
    libraries = {"keras": keras, "keras_spade": keras_spade, "np": np, "tf": tf}
    networks = {name: getattr(keras_spade, name) for name in REAL}
    datasets = {"data": data, "training": data, "validation": data, "training_data": data}
    return {
        **libraries,
        **networks,
        **datasets,
        "gan": tiny_gan(),
        "labels": batch["labels"],
        "photo": np.zeros((1, *SIZE, 3), "uint8"),
        "images": keras_spade.images.to_bytes(batch["image"]),
    }


@only_on("tensorflow", "tf.data")
@pytest.mark.filterwarnings("default")  # Warnings of other libraries do not concern the page.
@pytest.mark.parametrize(
    "page",
    [pytest.param(p, marks=[pytest.mark.slow] if p.name in SLOW else []) for p in PAGES],
    ids=lambda page: page.name,
)
def test_code_runs(page, small, tmp_path, monkeypatch):
    if page.name == "painting.md":
        pytest.importorskip("flask")
    monkeypatch.chdir(tmp_path)
    write_data(page.name)
    names = names_before()
    for block in blocks(page):
        if page.name in INDEPENDENT:
            names = names_before()
        block.run(names)


def test_all_python_code_is_found():
    """Blocks named `py`, or indented, would not be; test_readme.py runs README's."""
    for page in [DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md", *DOCS.rglob("*.md")]:
        languages = re.findall(r"^ *```(\w*)$", page.read_text(), re.MULTILINE)
        python, shell = languages.count("python"), languages.count("sh")
        assert python == len(blocks(page)), page
        assert languages.count("") == python + shell == len(languages) / 2, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_few_blocks_do_not_run_and_these_say_why(page):
    reasons = [block.not_run for block in blocks(page) if block.not_run is not None]
    assert all(len(reason.split()) >= 3 for reason in reasons)
    assert len(reasons) <= 1


def test_the_comment_before_a_block_is_read(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Text\n\n<!-- not run: it needs a GPU -->\n\n```python\n1 / 0\n```\n")
    (block,) = blocks(page)
    assert (block.line, block.not_run) == (5, "it needs a GPU")
    block.run({})
    page.write_text(page.read_text().replace("not run", "run"))
    with pytest.raises(ZeroDivisionError):
        blocks(page)[0].run({})
