"""The wheel holds the whole package and nothing else."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from support.backends import only_on

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "keras_spade_paint.py",
    "setup.py",
    "setup.cfg",
    "pyproject.toml",
    "README.md",
    "LICENSE",
)


@only_on("tensorflow", "once")
def test_the_wheel_holds_the_package(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(
        ROOT / "keras_spade", source / "keras_spade", ignore=shutil.ignore_patterns("__pycache__")
    )
    (source / "tests").mkdir()
    (source / "tests" / "__init__.py").touch()
    for name in SOURCES:
        shutil.copy(ROOT / name, source)
    package = {p.relative_to(source).as_posix() for p in source.rglob("keras_spade*/**/*.*")}
    package = {name for name in package if (source / name).is_file()} | {"keras_spade_paint.py"}

    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", tmp_path, source]
    made = subprocess.run(command, capture_output=True, text=True)
    if "No matching distribution found for setuptools" in made.stdout + made.stderr:
        pytest.skip("pip cannot download setuptools, which builds the wheel")
    assert made.returncode == 0, made.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = [n for n in archive.namelist() if n.endswith("/METADATA")]
        text = archive.read(metadata[0]).decode()
    assert names == package and len(names) > 200
    assert "keras_spade/presets/scenes/model.weights.h5" in names
    assert wheel.stat().st_size < 12e6
    assert "License-Expression: Apache-2.0" in text and "Requires-Dist: keras<3.16" in text
