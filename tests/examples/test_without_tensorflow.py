"""The example scripts on JAX and PyTorch, where TensorFlow cannot be imported."""

import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
CLASSES = ("--num_classes=4", "--void_class")
TRAINING = (
    *("--image_size=32,64", "--load_size=40,72", "--validation_split=0.3", "--batch_size=1"),
    *("--base_filters=2", "--hidden_filters=4", "--discriminator_filters=2", "--epochs=2"),
    *("--backup_every=1", "--pictures=1"),
)


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """Five photographs and label maps; among the names 0 to 4, 4 is for validation."""
    folder, rng = tmp_path_factory.mktemp("street"), np.random.default_rng(0)
    for kind in ("images", "labels"):
        (folder / kind).mkdir()
    for i in range(5):
        labels = np.kron(rng.integers(0, 4, (6, 8)), np.ones((8, 8))).astype("uint8")
        labels[:4] = 255
        image = (labels[..., None] // np.array([1, 2, 3]) * 40).astype("uint8")
        Image.fromarray(labels).save(folder / "labels" / f"{i}.png")
        Image.fromarray(image).save(folder / "images" / f"{i}.jpg")
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Environment variables with which Python cannot import TensorFlow."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text('import sys\nsys.modules["tensorflow"] = None\n')
    path = os.pathsep.join(map(str, (folder, ROOT)))
    return {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": "-1"}


def start(script, flags, environment):
    return subprocess.Popen(
        [sys.executable, f"examples/{script}", *map(str, flags)],
        env=environment,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def run(script, *flags, environment, code=0):
    process = start(script, flags, environment)
    output, _ = process.communicate(timeout=900)
    assert process.returncode == code, output[-3000:]
    return output


def weights_of(file):
    """The arrays in a .keras file, by name."""
    found = {}
    with zipfile.ZipFile(file) as archive:
        content = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(content) as weights:
        weights.visititems(
            lambda name, item: found.update({name: item[()]} if hasattr(item, "shape") else {})
        )
    return found


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_from_training_to_pictures(backend, street, environment, tmp_path):
    pytest.importorskip(backend)
    environment = {**environment, "KERAS_BACKEND": backend}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    flags = (f"--data={street}", *CLASSES, *TRAINING)
    run("train.py", *flags, f"--run_dir={whole}", environment=environment)

    process = start("train.py", (*flags, f"--run_dir={killed}"), environment)
    place = killed / "backup" / "epoch_00000_step_0000002.npz"
    until = time.monotonic() + 600
    while not place.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    process.kill()
    process.communicate()
    output = run("train.py", *flags, f"--run_dir={killed}", environment=environment)
    assert "Resuming from" in output
    one, other = weights_of(whole / "gan.keras"), weights_of(killed / "gan.keras")
    assert len(one) > 50 and one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)

    model = f"--model={whole / 'gan.keras'}"
    painted = tmp_path / "painted"
    data = f"--data={street}"
    run("generate.py", model, data, f"--out={painted}", environment=environment)
    assert sorted(path.name for path in painted.iterdir()) == [f"{i}.png" for i in range(5)]
    out = tmp_path / "numbers.json"
    pictures = tmp_path / "pictures"
    measured = (f"--out={out}", f"--png_folder={pictures}", "--features=")
    run("evaluate.py", model, data, *measured, environment=environment)
    assert json.loads(out.read_text())["samples"] == 5
    assert len(list((pictures / "real").iterdir())) == 5
    assert "samples: 5" in run("inspect_dataset.py", data, *CLASSES, environment=environment)


@pytest.mark.slow
def test_a_bad_file_ends_the_script(street, environment, tmp_path):
    pytest.importorskip("torch")
    environment = {**environment, "KERAS_BACKEND": "torch"}
    bad = tmp_path / "bad"
    shutil.copytree(street, bad)
    Image.fromarray(np.full((48, 64), 7, "uint8")).save(bad / "labels" / "0.png")
    flags = (f"--data={bad}", *CLASSES, *TRAINING, f"--run_dir={tmp_path / 'run'}")
    output = run("train.py", *flags, environment=environment, code=1)
    *_, line = output.splitlines()  # It follows the progress bar.
    assert f"examples/train.py: {bad}/labels/0.png: label ids out of range: 7" in line
    assert (tmp_path / "run" / "backup").exists()  # It was in `fit`.
    flags = (*flags, "--strategy=mirrored")
    output = run("train.py", *flags, environment=environment, code=1)
    assert "--strategy=mirrored needs TensorFlow, which is not installed." in output
