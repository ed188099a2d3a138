"""The Python code of pages, and the files that it reads."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_spade import checkpoints

BLOCK = re.compile(r"(?:<!-- not run: ([^>]+) -->\n+)?```python\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of Python code, starting at `line` of a page; `not_run` says why it cannot run."""

    page: Path
    line: int
    code: str
    not_run: str | None

    def run(self, names):
        """Runs it, with the page's lines in tracebacks, unless `not_run` is set."""
        if self.not_run is None:
            exec(compile("\n" * self.line + self.code, str(self.page), "exec"), names)


def blocks(page):
    """The Python blocks of a page."""
    text = page.read_text()
    return [
        Block(page, text[: match.start(2)].count("\n"), match[2], match[1])
        for match in BLOCK.finditer(text)
    ]


def write_maps(folder, names, num_classes):
    """Writes PNGs of ids in areas of 8 x 8, with the first rows "don't care"."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for name in names:
        labels = np.kron(rng.integers(0, num_classes, (6, 6)), np.ones((8, 8))).astype("uint8")
        labels[:4] = 255
        Image.fromarray(labels).save(folder / f"{name}.png")


def write_photographs(folder, samples=8, num_classes=19, images="images", labels="labels"):
    """Writes a dataset, with its own layout or that of a public dataset."""
    write_maps(folder / labels, range(samples), num_classes)
    (folder / images).mkdir(parents=True)
    for file in sorted((folder / labels).iterdir()):
        ids = np.array(Image.open(file))
        image = ids[..., None] // np.array([1, 2, 3], "uint8") * np.uint8(12)
        Image.fromarray(image).save(folder / images / f"{file.stem}.jpg")


def write_checkpoint(path, generator):
    """Writes a file like those of the authors' release."""
    torch = pytest.importorskip("torch", reason="PyTorch, which reads .pth files, is not installed")
    path.parent.mkdir(parents=True)
    state = checkpoints.nvlabs_weights(generator)
    torch.save({name: torch.from_numpy(np.array(array)) for name, array in state.items()}, path)
