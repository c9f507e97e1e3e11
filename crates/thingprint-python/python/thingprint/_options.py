"""Keyword arguments as options of the command."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from ._errors import UsageError

PathLike: TypeAlias = str | os.PathLike[str]
#: A label file, or the class of each address; or the class with the kind, `iot` or `non-iot`.
Labels: TypeAlias = PathLike | Mapping[str, str | tuple[str, str]]

#: Options that take one list with commas; others are repeated for each value.
_LISTS = frozenset({"decap", "evidence"})


class Arguments:
    """A command with its options, and the files that only this call needs."""

    def __init__(self, command: str, options: Mapping[str, object], positional: Iterable[PathLike] = ()) -> None:
        self._folder: Path | None = None
        self.line = [command]
        for name, value in options.items():
            self.line += option(name, self._label_file(value) if name == "labels" else value)
        self.line += ["--", *(os.fspath(path) for path in positional)]

    def add(self, name: str, value: object) -> None:
        """Adds an option."""
        self.line[1:1] = option(name, value)

    def place(self, name: str) -> Path:
        """A path in a folder that goes away with these arguments."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="thingprint-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / name

    def _label_file(self, labels: object) -> object:
        if not isinstance(labels, Mapping):
            return labels
        path = self.place("labels.csv")
        path.write_text(label_lines(labels), encoding="utf-8", newline="")
        return path


def paths(given: PathLike | Iterable[PathLike]) -> list[PathLike]:
    """One path or several."""
    found = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    if not found:
        raise UsageError("no capture is given: name files, folders or globs")
    return found


def label_lines(labels: Mapping[str, str | tuple[str, str]]) -> str:
    """The text of a label file."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["mac", "label", "kind"])
    for address, label in labels.items():
        rows.writerow([address, *((label, "iot") if isinstance(label, str) else label)])
    return text.getvalue()


def option(name: str, value: object) -> list[str]:
    """An option with its value; nothing where that is None or False."""
    long = "--" + name.replace("_", "-")
    if value is None or value is False:
        return []
    if value is True:
        return [long]
    if isinstance(value, (str, os.PathLike)) or not isinstance(value, Iterable):
        return [f"{long}={_text(value)}"]
    values = [_text(each) for each in value]
    if name in _LISTS:
        return [f"{long}={','.join(values)}"]
    return [f"{long}={each}" for each in values]


def _text(value: object) -> str:
    return os.fspath(value) if isinstance(value, (str, os.PathLike)) else str(value)
