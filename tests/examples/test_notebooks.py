"""The notebooks run completely, compute what they claim, and are committed clean."""

import base64
import importlib.metadata
import importlib.util
import io
import re
import subprocess
import sys

import nbformat
import pytest
from PIL import Image
from support.backends import only_on
from support.notebooks import NOTEBOOKS, ROOT, run, tagged, with_parameters

from keras_spade import (
    ClassInfo,
    GauGAN,
    MultiScaleDiscriminator,
    SPADEGenerator,
    StyleEncoder,
)
from keras_spade.datasets import SCENE_CLASSES, SCENE_PALETTE

SHIPPED = (ROOT / "keras_spade" / "presets" / "scenes").is_dir()
SMALL = {"FILTERS": 2, "EPOCHS": 1}
every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
slow = pytest.mark.slow


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """The preset that notebooks paint with: the shipped one, or an untrained replacement."""
    if SHIPPED:
        return "scenes"
    folder = tmp_path_factory.mktemp("presets") / "scenes"
    conditioning = {"num_classes": len(SCENE_CLASSES), "image_shape": (128, 128, 3)}
    gan = GauGAN(
        SPADEGenerator(**conditioning, latent_dim=16, base_filters=2, hidden_filters=8),
        MultiScaleDiscriminator(**conditioning, base_filters=2),
        StyleEncoder((128, 128, 3), latent_dim=16, base_filters=2, resize_to=(128, 128)),
    )
    gan.classes = ClassInfo(SCENE_CLASSES, SCENE_PALETTE)
    gan.save_to_preset(folder)
    return str(folder)


def results(number, folder, *expressions, **parameters):
    """Runs the notebook with a number; returns values at its end."""
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(f"{number:02}"))
    notebook = nbformat.read(path, as_version=4)
    if parameters:
        with_parameters(notebook, **parameters)
    return run(notebook, str(folder), expressions).values()


# === What they compute ===


@slow
@only_on("tensorflow", "once")
def test_quick_start(tmp_path, preset):
    same, epochs, meadow, above = results(
        1,
        tmp_path,
        "bool(same)",
        "len(history.history['discriminator/real'])",
        "float(changed[meadow].mean())",
        "float(changed[: height // 2].mean())",
        PRESET=preset,
        SCENES=8,
        **SMALL,
    )
    assert same and epochs == 1
    assert meadow > 4 * above or not SHIPPED
    assert (tmp_path / "gan.keras").stat().st_size > 1e5


@slow
@only_on("tensorflow", "once")
def test_the_paper(tmp_path):
    washed, kept, error, box, shares, apart, fields, ratio, largest = results(
        2,
        tmp_path,
        "after",
        "kept",
        "error",
        "box",
        "list(shares.values())",
        "apart",
        "fields",
        "ratio",
        "float(largest)",
        DRAWS=1000,
    )
    assert washed < 1e-4 < 1e-2 < kept
    assert error < 1e-3 and apart < 1e-4
    assert box == [5, 5]  # two convolutions of 3 x 3
    assert 0 < shares[0] < shares[1] < shares[2] < 1
    # The 4 x 4 convolutions have strides 2, 2, 2, 1, 1: 1, 4, 7, 16, 34, 70. A pool of 3 x 3 and
    # stride 2 before them makes 2 * 69 + 3.
    assert fields == [[70, 70], [141, 141]]
    assert ratio == pytest.approx(largest, rel=0.03)


@slow
@only_on("tensorflow", "once")
def test_your_own_folder(tmp_path):
    (bad, mended, steps, apart) = results(
        3,
        tmp_path,
        "[str(file).rsplit('/')[-1] for file in report.bad_files]",
        "list(mended.bad_files)",
        "len(training)",
        "0 if missing else int(apart)",
        PHOTOGRAPHS=24,
        **SMALL,
    )
    assert bad == ["003.jpg"] and mended == []
    assert 4 <= steps <= 6
    assert apart <= 2
    assert (tmp_path / "landscapes.onnx").exists() == all(
        map(importlib.util.find_spec, ("onnx", "onnxruntime", "tf2onnx"))
    )


@slow
@only_on("tensorflow", "once")
def test_styles(tmp_path, preset):
    typical, line, walked, own, other, spread = results(
        4,
        tmp_path,
        "typical",
        "middle_of_line",
        "middle_of_walk",
        "own_error",
        "other_error",
        "spread",
        PRESET=preset,
        PHOTOGRAPHS=16,
    )
    assert line < 0.8 * typical < typical < 1.1 * walked
    assert (own < other and spread > 5) or not SHIPPED


@slow
@only_on("tensorflow", "once")
def test_authors_checkpoints(tmp_path):
    same, message, apart, names = results(
        5,
        tmp_path,
        "same",
        "message",
        "apart",
        "set(back) == set(arrays)",
        HIDDEN_FILTERS=4,
        SCENES=8,
        **SMALL,
    )
    assert same and names and apart == 0
    assert "wrong shape: head_0.norm_0.mlp_shared.0.weight has shape (4, 184, 3, 3)" in message
    assert (tmp_path / "latest_net_G.pth").exists() == bool(importlib.util.find_spec("torch"))


@slow
@only_on("tensorflow", "once")
def test_evaluate(tmp_path, preset):
    seen, wrong, drawn, diversity, table = results(
        6,
        tmp_path,
        "seen",
        "seen_wrong",
        "seen_drawn",
        "diversity",
        "table",
        PRESET=preset,
        UNSEEN=32,
        TRAINING=64,
        EPOCHS=3,
    )
    assert diversity["one latent"] == 0 < diversity["three latents"]
    assert table["painted"][1] > table["drawn"][1]
    assert 0 <= seen["mean_iou"] <= 1 and 0 < drawn["pixel_accuracy"] <= 1
    assert seen["pixel_accuracy"] > wrong["pixel_accuracy"] or not SHIPPED


# === The first cell ===


def setup_cell(path):
    """The cell that installs the package, which is the same in all notebooks."""
    (cell,) = (cell for cell in nbformat.read(path, as_version=4).cells if cell.id == "setup")
    return cell.source


def set_up(monkeypatch, installed):
    """Runs the cell as on a machine without the package; returns the `pip install` arguments."""
    pip, present = [], dict(installed)
    find_spec = importlib.util.find_spec

    def version(name):
        if name not in present:
            raise importlib.metadata.PackageNotFoundError(name)
        return present[name]

    monkeypatch.setattr(subprocess, "run", lambda command, check: pip.append(command[5:]))
    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "keras_spade" else find_spec(name, *rest),
    )
    wanted = ["keras<3.16,>=3.15", "tensorflow<2.22,>=2.21", "h5py>=3.10", 'onnx; extra == "onnx"']
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: wanted)
    exec(compile(setup_cell(NOTEBOOKS[0]), "setup", "exec"), {})
    return pip


FROM_GITHUB = ["--no-deps", "git+https://github.com/keras-spade/keras_spade"]


@only_on("tensorflow", "once")
def test_what_serves_is_left_alone(monkeypatch, capsys):
    serving = {"keras": "3.15.1", "tensorflow": "2.21.0", "h5py": "3.14.0"}
    assert set_up(monkeypatch, serving) == [FROM_GITHUB]
    out = capsys.readouterr().out
    assert "is not supported" not in out and "is kept" not in out
    assert re.search(r"^device: ", out, re.MULTILINE)


@only_on("tensorflow", "once")
def test_tensorflow_stays_and_keras_alone_is_replaced(monkeypatch, capsys):
    found = {"keras": "3.10.0", "tensorflow": "2.19.0", "h5py": "3.14.0"}
    pip = set_up(monkeypatch, found)
    assert pip == [FROM_GITHUB, ["--no-deps", "keras<3.16,>=3.15"]]
    out = capsys.readouterr().out
    assert "Keras 3.10.0 is not supported" in out and "Restart the session" in out
    assert "tensorflow 2.19.0 is kept" in out


@only_on("tensorflow", "once")
def test_what_is_missing_is_installed(monkeypatch):
    pip = set_up(monkeypatch, {"keras": "3.15.0"})
    assert pip == [FROM_GITHUB, ["tensorflow<2.22,>=2.21"], ["h5py>=3.10"]]


# === What is committed ===


def test_there_are_six():
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06"]
    assert len({setup_cell(path) for path in NOTEBOOKS}) == 1


@every_notebook
def test_it_is_valid_and_opens_in_colab(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (
        f"colab.research.google.com/github/keras-spade/keras_spade/blob/main/examples/{path.name}"
        in (notebook.cells[0].source)
    )
    assert notebook.cells[1].id == "setup"
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    # Names as ids, which stay the same when cells move; Jupyter's are random.
    assert not [name for name in ids if not re.fullmatch(r"[a-z][a-z-]+", name)]
    assert len(tagged(notebook, "parameters")) == 1
    links = re.findall(r"\]\((.*?)\)", "".join(cell.source for cell in notebook.cells))
    blob = "https://github.com/keras-spade/keras_spade/blob/main/"
    here = [link.removeprefix(blob) for link in links if link.startswith(blob)]
    assert not [link for link in here if not (ROOT / link).is_file()]
    assert not [link for link in links if "://" not in link]  # Colab does not find them


@every_notebook
def test_outputs_are_few_and_small(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.execution_count is None, cell.id
            assert not cell.outputs or cell in tagged(notebook, "keep"), cell.id
        assert set(cell.metadata) <= {"tags", "cellView"}
        for output in cell.get("outputs", ()):
            assert output.output_type in ("stream", "display_data"), cell.id
            if output.output_type == "stream":
                assert output.name == "stdout" and len(output.text) <= 4000, cell.id
            for kind, data in output.get("data", {}).items():
                assert kind in ("image/png", "image/jpeg")
                picture = base64.b64decode(data)
                assert len(picture) <= 150_000, (cell.id, len(picture))
                Image.open(io.BytesIO(picture)).verify()


@every_notebook
def test_no_path_of_a_machine_is_printed(path):
    texts = []
    for cell in nbformat.read(path, as_version=4).cells:
        texts += [cell.source, *(o.get("text", "") for o in cell.get("outputs", ()))]
    found = [p for text in texts for p in re.findall(r"(?<![\w:/.*])/[\w.-]+/[\w./-]+", text)]
    assert found == []


def test_ruff_has_formatted_them():
    command = [sys.executable, "-m", "ruff"]
    for arguments in (["check"], ["format", "--check"]):
        ran = subprocess.run(
            [*command, *arguments, *NOTEBOOKS], cwd=ROOT, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
