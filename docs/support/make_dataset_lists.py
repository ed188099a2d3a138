"""Writes the lists of public datasets in docs/data.md and docs/api/datasets.md.

python docs/support/make_dataset_lists.py

They stand between `BEGIN` and `END`. `tests/datasets/public/test_named_datasets.py` fails when one
is out of date.
"""

from pathlib import Path

from keras_spade.datasets import NAMED_DATASETS, PUBLIC_DATASETS

DOCS = Path(__file__).resolve().parents[1]
BEGIN = "<!-- Made by docs/support/make_dataset_lists.py. -->\n\n"
END = "\n\n<!-- End of docs/support/make_dataset_lists.py. -->"


def table():
    """The public sets, a row for each way to count their classes."""
    rows = [
        ["dataset", "call", "folders", "classes", "void", "palette", "please cite"],
        ["---", "---", "---", "---:", "---", "---", "---"],
    ]
    rows += [
        [
            info.title,
            f"`{info.call}`",
            info.layout,
            str(info.num_classes),
            info.void,
            "published" if info.palette else "none published",
            info.citation,
        ]
        for info in NAMED_DATASETS.values()
    ]
    separated = (("|".join(row) if row[0] == "---" else f" {' | '.join(row)} ") for row in rows)
    return "\n".join(f"|{row}|" for row in separated)


def references():
    """The functions that load them, for the API reference."""
    return "\n\n".join(f"::: keras_spade.datasets.{name}" for name in PUBLIC_DATASETS)


LISTS = {DOCS / "data.md": table, DOCS / "api" / "datasets.md": references}


def page(path):
    """The text of a page with its list as it should be."""
    before, rest = path.read_text().split(BEGIN)
    return before + BEGIN + LISTS[path]() + END + rest.split(END)[1]


if __name__ == "__main__":
    for path in LISTS:
        path.write_text(page(path))
