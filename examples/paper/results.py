"""Results of trainings, one JSON line each, which an interrupted experiment extends."""

import dataclasses
import json
import pathlib

from keras_spade import files


@dataclasses.dataclass(frozen=True)
class Results:
    """A file of records; each is on disk when `add` returns.

    Args:
        path: of the file.
        settings: the settings of the records; those in the file must be the same.

    Raises:
        ValueError: if the file holds records with other settings, naming these.
    """

    path: pathlib.Path
    settings: dict

    def __post_init__(self):
        for record in self.all():
            check_settings(self.path, record["settings"], self.settings)

    def all(self):
        """All records."""
        found = []
        for number, line in enumerate(self._whole_lines().splitlines(), 1):
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                raise ValueError(f"{self.path}, line {number}: not JSON.") from None
        return found

    def find(self, row, definition, seed):
        """The record of one training, or `None`.

        Args:
            row: its name.
            definition: its definition as JSON values; the record's must be the same.
            seed: its seed.
        """
        for record in self.all():
            if record["row"] == row and record["seed"] == seed:
                check_definition(self.path, row, record["definition"], definition)
                return record
        return None

    def add(self, **record):
        """Appends a record.

        Args:
            **record: `row`, `definition`, `seed` and anything else to keep.
        """
        self.add_all([record])

    def add_all(self, records):
        """Appends records, all or none.

        Args:
            records: dicts.
        """
        lines = [json.dumps({**record, "settings": self.settings}) + "\n" for record in records]
        with files.replacing(self.path) as partial:
            partial.write_text(self._whole_lines() + "".join(lines))

    def _whole_lines(self):
        """The text without a torn last line."""
        text = self.path.read_text() if self.path.exists() else ""
        return text[: text.rfind("\n") + 1]


def differences(theirs, mine):
    """The settings that differ, as text; empty if none does.

    Args:
        theirs: the settings in a file.
        mine: the present settings.
    """
    return ", ".join(
        f"--{name}={theirs.get(name)} before, {mine.get(name)} now"
        for name in sorted(theirs.keys() | mine.keys())
        if theirs.get(name) != mine.get(name)
    )


def check_settings(path, theirs, mine):
    """Refuses a file of results with other settings.

    Args:
        path: of the file.
        theirs: the settings in the file.
        mine: the present settings.

    Raises:
        ValueError: naming the settings that differ.
    """
    if changed := differences(theirs, mine):
        raise ValueError(
            f"{path} holds results with other settings ({changed}). Choose another --run_dir."
        )


def check_definition(path, row, theirs, mine):
    """Refuses a file of results whose row of the same name is another.

    Args:
        path: of the file.
        row: the name.
        theirs: the definition in the file.
        mine: the present definition.

    Raises:
        ValueError: with both definitions.
    """
    if theirs != mine:
        raise ValueError(
            f"{path}: {row!r} was {theirs} there, and is {mine} now. Choose another --run_dir."
        )
