"""The modules that each part of the package may import."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "keras_spade"
ALLOWED = {
    "backends": {"backends"},
    "callbacks": {"callbacks", "datasets"},
    "checkpoints": {"checkpoints", "layers", "networks"},
    "datasets": {"datasets"},
    "exporting": {"backends", "exporting", "segmaps"},
    "layers": {"backends", "layers", "segmaps"},
    "losses": {"losses"},
    "metrics": {"backends", "losses", "metrics"},
    "models": {
        "backends",
        "exporting",
        "layers",
        "losses",
        "models",
        "networks",
        "optimizers",
        "presets",
        "runs",
    },
    "networks": {"backends", "exporting", "layers", "networks", "presets", "segmaps"},
    "optimizers": {"backends", "optimizers"},
    "painting": {"backends", "datasets", "networks", "painting", "presets", "segmaps"},
    "presets": {"datasets", "presets"},
    "runs": {"backends", "callbacks", "datasets", "runs"},
    "segmaps": {"backends", "segmaps"},
}
# The subpackages of datasets that each may import; all may import the loose modules.
DATASETS = {
    "folders": set(),
    "inspection": {"folders", "public"},
    "public": {"folders"},
    "records": {"folders"},
    "scenes": set(),
}
SHARED = {
    *("arguments", "class_info", "compiled_gan", "files", "gan", "images", "label_colors"),
    *("precision", "pth_files", "tensor", "version"),
}
BACKENDS = ("tensorflow", "torch", "jax")
DEPENDENCIES = {
    *("flask", "h5py", "huggingface_hub", "keras", "keras_spade", "matplotlib", "numpy", "onnx"),
    *("PIL", "tf2onnx", "tifffile", "waitress"),
    *BACKENDS,
}


def imports(path, top_level=False):
    """The modules a file imports, with its functions' imports unless `top_level`."""
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def files():
    return sorted(PACKAGE.rglob("*.py"))


def test_every_folder_has_a_rule():
    places = [path.relative_to(PACKAGE).parts for path in files()]
    assert {place[0] for place in places if len(place) > 1} == set(ALLOWED)
    assert {place[1] for place in places if len(place) > 2} == set(DATASETS)


@pytest.mark.parametrize("folder", sorted(ALLOWED))
def test_folders_import_only_what_they_may(folder):
    for path in (PACKAGE / folder).rglob("*.py"):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "keras_spade":
                assert len(parts) > 1, f"{path.name}: {name}"
                assert parts[1] in ALLOWED[folder] | SHARED, f"{path.name}: {name}"


@pytest.mark.parametrize("room", ["", *sorted(DATASETS)])
def test_rooms_of_the_datasets_import_only_what_they_may(room):
    allowed = DATASETS[room] | {room} if room else set()
    for path in (PACKAGE / "datasets" / room).glob("*.py"):
        for name in imports(path):
            _, folder, other, *_ = [*name.split("."), "", ""]
            if folder == "datasets" and other in DATASETS and path.name != "__init__.py":
                assert other in allowed, f"{path.name}: {name}"


def test_only_known_libraries():
    for path in files():
        for name in imports(path):
            top = name.split(".")[0]
            assert top in DEPENDENCIES or top in sys.stdlib_module_names, f"{path}: {name}"


def test_backends_are_imported_late_but_by_their_own_files():
    for path in files():
        own = path.stem.split("_")[0] if path.parent.name in ("backends", "runs") else None
        for name in imports(path, top_level=True):
            assert name.split(".")[0] not in set(BACKENDS) - {own}, f"{path}: {name}"


def test_keras_is_used_through_its_public_names():
    for path in files():
        assert "keras.src" not in path.read_text(), path


@pytest.mark.parametrize("folder", ["layers", "networks"])
def test_layers_ask_neither_for_the_backend_nor_for_the_form_of_a_label_map(folder):
    for path in (PACKAGE / folder).glob("*.py"):
        text = path.read_text()
        assert "backend.backend()" not in text, path
        assert "isinstance(segmap" not in text, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("keras_spade.segmaps"):
                names = {alias.name for alias in node.names}
                assert not names & {"Dense", "Patterns", "BoundedPatterns"}, path


def test_examples_use_public_names():
    for path in (ROOT / "examples").rglob("*.py"):
        for name in imports(path):
            assert name == "keras_spade" or not name.startswith("keras_spade."), f"{path}: {name}"
        tree = ast.parse(path.read_text())
        private = [
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and node.attr.startswith("_")
            and not node.attr.endswith("__")
            and not (isinstance(node.value, ast.Name) and node.value.id == "self")
        ]
        assert not private, f"{path}: {private}"


@pytest.mark.parametrize(
    ("given", "loaded", "wanted"), [(None, False, "1"), ("0", False, "0"), (None, True, None)]
)
def test_importing_quiets_tensorflow_unless_the_user_has_set_that(given, loaded, wanted):
    level = "TF_CPP_MIN_LOG_LEVEL"
    program = f"""if True:
        import os, sys
        sys.modules["keras_spade.callbacks"] = None  # The import ends there, before Keras.
        if {loaded}:
            sys.modules["tensorflow"] = sys
        try:
            import keras_spade
        except ImportError:
            print(os.environ.get({level!r}))
    """
    environment = {name: value for name, value in os.environ.items() if name != level}
    environment |= {"PYTHONPATH": str(ROOT)} | ({level: given} if given else {})
    output = subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)
    assert output == f"{wanted}\n"


def test_files_are_short():
    for path in files():
        assert len(path.read_text().splitlines()) <= 300, path
