"""The scripts that write parts of the documentation."""

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "support"


def load_doc_script(name):
    """A script of docs/support as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
