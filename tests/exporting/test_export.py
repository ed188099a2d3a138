"""Behaviour shared by all formats: arguments, replacing files, and real label maps."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from support.backends import only_on
from support.exports import assert_same, export_both, make_generator, painted
from support.tiny_gan import tiny_gan

from benchmarks.harness.label_maps import load_label_maps
from keras_spade import SPADEGenerator
from keras_spade.exporting import litert, onnx, saved_model

COCO = Path(__file__).resolve().parents[3] / "shared" / "data" / "coco_stuff_sample"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "export.md"
FORMATS = {"tf_saved_model": saved_model, "onnx": onnx, "litert": litert}


@pytest.fixture(scope="module")
def generator():
    return make_generator(latent_dim=None)


@pytest.fixture
def quick(monkeypatch):
    """Replaces formats by ones that write a line in this process; returns the painters received."""
    painters = []

    def write(painter, path, options):
        painters.append(painter)
        if Path(path).suffix:
            Path(path).write_text("new")
        else:
            Path(path).mkdir()
            (Path(path) / "saved_model.pb").write_text("new")

    monkeypatch.setattr("keras_spade.exporting.export.backend.TRACES_TENSORFLOW", True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: True)
    for module in FORMATS.values():
        monkeypatch.setattr(module, "write", write)
        monkeypatch.setattr(module, "check", lambda options: None)
    return painters


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "tflite"}, r"`format` must be one of \('tf_saved_model', 'onnx', 'litert'\)"),
        ({"format": "torch"}, r"got 'torch'.*keras.Model.export\(generator, path, format\)"),
        ({"image_size": 64}, r"`image_size` must be \(height, width\) or None, got 64"),
        ({"image_size": (0, 64)}, r"`image_size` must be .*got \(0, 64\)"),
        ({"input_signature": []}, r"`input_signature` follows .*`image_size=\(height, width\)`"),
        ({"averaged": True}, "`averaged` must be 'auto' or False, got True.*GauGAN's `export`"),
        ({"path": "gs://bucket/a"}, "`path`: gs://bucket/a: write to a local path"),
        ({"path": "a.onnx"}, "a.onnx has the suffix of format='onnx', but format is 'tf_saved"),
        ({"path": "a.tflite", "format": "onnx"}, "suffix of format='litert', but .* 'onnx'"),
    ],
)
def test_arguments_are_refused(generator, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        generator.export(**{"path": tmp_path / "a", **arguments})
    assert not list(tmp_path.iterdir())


@only_on("tensorflow", "the process that exports checks them elsewhere")
@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("tf_saved_model", "opset_version", "takes `modulation`, not"),
        ("onnx", "modulation", "takes `opset_version`, not"),
        ("litert", "convert", "takes attributes of `tf.lite.TFLiteConverter`.*not"),
    ],
)
def test_options_are_the_formats_own(name, option, message):
    with pytest.raises(ValueError, match=rf"format='{name}' {message} \['{option}'\]"):
        FORMATS[name].check({option: 1})


def test_what_must_not_be_replaced(generator, tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ValueError, match="is not only a SavedModel; .* be replaced: mine.txt"):
        generator.export(tmp_path)
    with pytest.raises(ValueError, match="mine.txt exists and is not only a SavedModel"):
        generator.export(tmp_path / "mine.txt")
    (tmp_path / "saved_model.pb").touch()
    with pytest.raises(ValueError, match="be replaced: mine.txt. Pass a new or empty"):
        generator.export(tmp_path)
    if not_available("tf2onnx"):
        return
    with pytest.raises(ValueError, match="is a folder; onnx is one file"):
        generator.export(tmp_path, format="onnx")


def not_available(name):
    import importlib.util

    return importlib.util.find_spec(name) is None


@pytest.mark.parametrize(("name", "file"), [("tf_saved_model", "a"), ("onnx", "a.onnx")])
def test_the_old_one_is_replaced_when_all_is_written(
    generator, quick, tmp_path, monkeypatch, capsys, name, file
):
    path = tmp_path / file
    whole = path / "saved_model.pb" if name == "tf_saved_model" else path

    def half(painter, partial, options):
        Path(partial).mkdir() if partial.suffix == "" else partial.write_text("half")
        raise KeyError("no such operation")

    generator.export(path, format=name)
    assert capsys.readouterr().out == f"Saved artifact at '{path}'.\n"
    whole.write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(FORMATS[name], "write", half)
        with pytest.raises(RuntimeError, match=f"'generator' could not be converted to {name}"):
            generator.export(path, format=name)
    assert whole.read_text() == "old" and os.listdir(tmp_path) == [file]
    generator.export(path, format=name, verbose=False)
    assert whole.read_text() == "new" and os.listdir(tmp_path) == [file]
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "policy", "modulation", "size"),
    [
        ("tf_saved_model", "mixed_bfloat16", "patterns", None),
        ("onnx", "float32", "dense", None),
        ("litert", "float32", "dense", (32, 32)),
    ],
)
def test_what_each_format_is_given(quick, tmp_path, name, policy, modulation, size):
    generator = make_generator(latent_dim=None, dtype="mixed_bfloat16", modulation="patterns")
    generator.export(tmp_path / f"a{FORMATS[name].SUFFIX}", format=name, verbose=False)
    (painter,) = quick
    given = painter.generator
    assert (given.dtype_policy.name, given.modulation, painter.image_size) == (
        policy,
        modulation,
        size,
    )
    assert given.spectral_norm is False and generator.spectral_norm is True
    assert {variable.dtype for variable in given.variables} == {"float32"}


def test_other_workers_pass(generator, quick, tmp_path, monkeypatch):
    monkeypatch.setattr(SPADEGenerator, "writes_files", False)
    generator.export(tmp_path / "a", verbose=False)
    assert not quick and not list(tmp_path.iterdir())


@pytest.mark.slow
@only_on("tensorflow", "the page is of its files")
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter", "ignore::DeprecationWarning")
def test_the_page_runs(tmp_path, monkeypatch):
    for name in ("onnxruntime", "tf2onnx"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    monkeypatch.chdir(tmp_path)
    gan = tiny_gan(latent_dim=None)
    gan.save("street.keras")
    want = gan.generate(np.zeros((2, 32, 32), int)).astype(int)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 5
    names = {}
    for block in blocks:
        exec(block, names)
        if "image" in names:
            assert np.abs(np.array(names.pop("image")) - want).max() <= 1


KINDS = {
    "labels": {"latent_dim": None},
    "all": {"latent_dim": 3, "instance_edges": True, "norm": "instance"},
    "dense": {"latent_dim": 3, "conditioning": "dense"},
    "bfloat16": {"latent_dim": 3, "dtype": "mixed_bfloat16"},
    "float16": {"latent_dim": None, "dtype": "mixed_float16", "norm": "batch"},
}


@pytest.mark.slow
@only_on("tensorflow", "it writes and reads the files")
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *[("onnx", kind) for kind in ("labels", "all", "dense", "bfloat16")],
        *[("litert", kind) for kind in ("all", "dense", "float16")],
        ("tf_saved_model", "float16"),
    ],
)
def test_ten_real_label_maps(tmp_path, name, kind):
    maps = load_label_maps(f"coco_stuff:{COCO}" if COCO.exists() else "scenes", 10, (64, 64))
    generator = make_generator(
        num_classes=maps.num_classes,
        void_class=maps.void_class and kind != "dense",
        image_shape=(64, 64, 3),
        **KINDS[kind],
    )
    inputs = {
        "labels": maps.samples["labels"].astype("int32"),
        "edges": maps.samples.get("edges", maps.samples["labels"] % 2).astype("float32"),
        "latent": np.random.default_rng(0).standard_normal((10, 3)).astype("float32"),
    }
    if kind == "dense":
        classes = np.minimum(inputs["labels"], maps.num_classes - 1)
        inputs["segmap"] = np.eye(maps.num_classes, dtype="float32")[classes]
    inputs = {key: inputs[key] for key in generator.input}
    path = tmp_path / f"a{FORMATS[name].SUFFIX}"
    export_both(generator, path, format=name)
    image, floats = RUN[name](str(path), inputs)
    # ONNX and LiteRT only have float32.
    wanted = generator
    if name != "tf_saved_model":
        wanted = generator.fold_spectral_norm(dtype="float32")
    assert_same(image, inputs, wanted)
    limit = 1e-4 if wanted.dtype_policy.compute_dtype == "float32" else 0.05
    np.testing.assert_allclose(floats, painted(wanted, inputs)[0], atol=limit)
    # If the generator itself computes in 16 bits, rounding differs between the two.
    assert np.abs(floats - painted(generator, inputs)[0]).mean() < 0.005


def run_saved_model(path, inputs):
    import tensorflow as tf

    served = tf.saved_model.load(path)
    found = served.serve(inputs)
    return [found[name].numpy() for name in ("image", "floats")]


def run_onnx(path, inputs):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return onnxruntime.InferenceSession(path).run(["image", "floats"], inputs)


def run_litert(path, inputs):
    import tensorflow as tf

    resolver = tf.lite.experimental.OpResolverType.BUILTIN
    interpreter = tf.lite.Interpreter(path, experimental_op_resolver_type=resolver)
    found = interpreter.get_signature_runner()(**inputs)
    return [found[name] for name in ("image", "floats")]


RUN = {"tf_saved_model": run_saved_model, "onnx": run_onnx, "litert": run_litert}
