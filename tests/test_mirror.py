"""The folders of the tests mirror those of the package."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
# Helpers for tests.
HELPERS = {"golden", "processes", "reference", "support"}
# Tests of several modules together, with the subpackage through which they enter.
BY_BEHAVIOUR = {
    "backends/test_accumulation.py",
    "backends/test_backends_agree.py",
    "backends/test_data_parallel.py",
    "backends/test_minimize.py",
    "backends/test_without_tensorflow.py",
    "benchmarks/networks/test_networks.py",
    "benchmarks/patterns/test_patterns.py",
    "datasets/folders/test_hostile_files.py",
    "datasets/folders/test_large_sets.py",
    "datasets/public/test_named_datasets.py",
    "examples/paper/keras_io/test_command.py",
    "examples/test_notebooks.py",
    "examples/test_scripts.py",
    "examples/test_without_tensorflow.py",
    "layers/test_spade_patterns.py",
    "layers/test_spade_resblock_patterns.py",
    "layers/test_spectral_norm_scaling.py",
    "metrics/test_sensitivity.py",
    "metrics/test_torch_fidelity.py",
    "models/test_channels.py",
    "models/test_earlier_files.py",
    "models/test_frozen.py",
    "models/test_image_range.py",
    "models/test_label_checks.py",
    "models/test_modulation.py",
    "models/test_training_steps.py",
    "networks/test_many_classes.py",
    "painting/test_page.py",
    "presets/test_scenes.py",
    "runs/test_killed.py",
    "runs/test_long_runs.py",
    "runs/test_lost_worker.py",
    "runs/test_spread.py",
}


def folder_of_modules(path):
    """The folder of the modules that a test file covers."""
    room = path.parent.relative_to(TESTS)
    return (
        ROOT / room if room.parts[0] in ("benchmarks", "examples") else ROOT / "keras_spade" / room
    )


def mirrors(path):
    """Whether a module with the name of a test file is in its folder or a subfolder."""
    name = path.stem.removeprefix("test_")
    return any(module.stem.lstrip("_") == name for module in folder_of_modules(path).rglob("*.py"))


def test_every_test_lies_beside_its_module_or_is_by_behaviour():
    paths = [
        path
        for path in sorted(TESTS.rglob("test_*.py"))
        if path.parent != TESTS and path.relative_to(TESTS).parts[0] not in HELPERS
    ]
    assert len(paths) > 50
    others = {str(path.relative_to(TESTS)) for path in paths if not mirrors(path)}
    assert others - BY_BEHAVIOUR == set(), "no module of this name, and not in BY_BEHAVIOUR"
    assert BY_BEHAVIOUR - others == set(), "gone, or now next to a module of its name"


def test_folders_of_tests_are_rooms():
    rooms = [path for path in TESTS.iterdir() if path.is_dir() and path.name[0] not in "._"]
    for room in rooms:
        if room.name not in HELPERS:
            assert folder_of_modules(room / "test_.py").is_dir(), room
