"""Runs the notebooks of `examples/`, with other parameters or unchanged to store their outputs.

    PYTHONPATH=. python tests/support/notebooks.py [01 04 ...]

runs all of them, or those with the given numbers, and stores in each file the outputs of the cells
tagged `keep`.
"""

import ast
import base64
import io
import json
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("[0-9][0-9]_*.ipynb"))
# A larger PNG is a picture with many colours, which JPEG at least halves.
LARGEST_PNG = 30_000


def tagged(notebook, tag):
    """The cells that have a tag."""
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]


def with_parameters(notebook, **values):
    """Inserts a cell after the one tagged `parameters` that changes some of its constants."""
    (cell,) = tagged(notebook, "parameters")
    known = {
        ast.unparse(target)
        for line in ast.parse(cell.source).body
        for targets in line.targets
        for target in getattr(targets, "elts", [targets])
    }
    assert set(values) <= known, (set(values), known)
    lines = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.v4.new_code_cell(lines))
    return notebook


def run(notebook, folder, expressions=(), timeout=600):
    """Runs a notebook in a folder with this checkout importable, and without downloads.

    Returns the values of some expressions at its end, by their text; its cells contain the outputs.
    """
    values = "{" + ", ".join(f"{text!r}: {text}" for text in expressions) + "}"
    ending = nbformat.v4.new_code_cell(f"import json\n\nprint(json.dumps({values}))")
    notebook.cells.append(ending)
    nowhere = dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    env = {**os.environ, **nowhere, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(Path(folder) / ".i")}
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute(env=env)
    notebook.cells.remove(ending)
    (stream,) = ending.outputs
    return json.loads(stream.text)


def keep_outputs(notebook, folder):
    """Keeps only outputs to commit: text and pictures of cells tagged `keep`, run in a folder."""
    kept = tagged(notebook, "keep")
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            found = cell.outputs if cell in kept else []
            texts = [o.text for o in found if o.output_type == "stream" and o.name == "stdout"]
            text = "".join(texts).replace(f"{Path(folder).resolve()}/", "")
            cell.outputs = [nbformat.v4.new_output("stream", text=text)] if text else []
            cell.outputs += filter(None, map(_picture, found))


def _picture(output):
    """A picture in the committed format; `None` if there is none."""
    png = output.get("data", {}).get("image/png")
    if png is None:
        return None
    data = base64.b64decode(png)
    if len(data) > LARGEST_PNG:
        file = io.BytesIO()
        Image.open(io.BytesIO(data)).convert("RGB").save(file, "JPEG", quality=88, optimize=True)
        pictures = {"image/jpeg": base64.b64encode(file.getvalue()).decode()}
    else:
        pictures = {"image/png": png}
    return nbformat.v4.new_output("display_data", pictures)


def main(numbers):
    """Runs notebooks unchanged and stores their outputs."""
    for path in NOTEBOOKS:
        if not numbers or path.name[:2] in numbers:
            notebook = nbformat.read(path, as_version=4)
            with tempfile.TemporaryDirectory() as folder:
                run(notebook, folder, timeout=7200)
                keep_outputs(notebook, folder)
            nbformat.write(notebook, path)
            print(path.name, f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
