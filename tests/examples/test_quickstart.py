"""The notebook runs from start to end."""

from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "quickstart.ipynb"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_quickstart_runs(monkeypatch, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="needs the extra [test]")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra [test]")
    monkeypatch.setenv("QUICKSTART_SCENES", "16")
    monkeypatch.setenv("QUICKSTART_EPOCHS", "1")
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources=resources
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) >= 3
    assert not [output for output in outputs if output.output_type == "error"]


def test_quickstart_is_committed_clean():
    import json

    notebook = json.loads(NOTEBOOK.read_text())
    text = "".join(notebook["cells"][0]["source"])
    assert "colab.research.google.com" in text and "examples/quickstart.ipynb" in text
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None
