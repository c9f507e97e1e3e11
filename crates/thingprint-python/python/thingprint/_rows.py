"""Results: rows that other libraries take over."""

from __future__ import annotations

import html
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from ._errors import ThingprintWarning
from ._options import Arguments
from ._progress import Progress, Shown
from ._thingprint import Call, Table

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

Row: TypeAlias = dict[str, object]

#: Rows that a notebook shows.
_SHOWN = 10
#: Characters of a cell that a notebook shows.
_WIDTH = 60


class Rows:
    """The rows of a result, one for each instance, flow, device or finding, in the order of the command.

    Nothing is read before the rows are wanted. Whoever iterates gets them while captures are read, and keeps nothing;
    whoever asks for a frame or the length has all rows kept, so that captures are read once. Polars, pyarrow, pandas and
    whatever else knows the Arrow PyCapsule interface take the rows over without a copy.
    """

    def __init__(self, arguments: Arguments, progress: Progress = None, *, warns: bool = True) -> None:
        self._arguments = arguments
        self._warns = warns
        self._progress = progress
        self._table: Table | None = None
        self._warnings: list[str] = []
        self._notes: list[str] = []
        self._is_complete: bool | None = None

    @property
    def columns(self) -> list[str]:
        """Names of the columns, which are those of the command."""
        return self.collect().column_names

    @property
    def warnings(self) -> list[str]:
        """What the command warned of, as far as was read."""
        return list(self._warnings)

    @property
    def notes(self) -> list[str]:
        """What else the command said of the reading, such as who the gateway is."""
        return list(self._notes)

    @property
    def is_complete(self) -> bool:
        """Whether all input was read, and no limit left anything out."""
        if self._is_complete is None:
            self.collect()
        return bool(self._is_complete)

    def batches(self) -> Iterator[Table]:
        """The rows in tables of some thousand, as they come; each knows the Arrow PyCapsule interface."""
        if self._table is not None:
            yield self._table
            return
        self._warnings, self._notes = [], []
        call = Call(self._arguments.line)
        with Shown(self._progress) as shown:
            more = True
            while more:
                more, batch = call.poll()
                shown.update(*call.work())
                self._take_messages(call)
                if batch is not None:
                    yield batch
            try:
                self._is_complete = call.finish()
            finally:
                self._take_messages(call)

    def collect(self) -> Table:
        """All rows, which are kept."""
        if self._table is None:
            batches = list(self.batches())
            self._table = Table.concat(batches[0], batches[1:]) if batches else Table.empty()
        return self._table

    def to_arrow(self) -> pyarrow.Table:
        """The rows as a table of pyarrow."""
        import pyarrow

        return pyarrow.table(self.collect())

    def to_polars(self) -> polars.DataFrame:
        """The rows as a frame of Polars."""
        import polars

        return polars.DataFrame(self.collect())

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a frame of pandas. A bag of words is a dict, and a list is a list."""
        import pandas

        table = self.collect()
        frame = self.to_arrow().to_pandas()
        for name in table.bag_names:
            frame[name] = [None if words is None else dict(_pairs(words)) for words in frame[name]]
        for name in table.list_names:
            frame[name] = [None if texts is None else list(texts) for texts in frame[name]]
        assert isinstance(frame, pandas.DataFrame)
        return frame

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.collect().__arrow_c_stream__(requested_schema)

    def __iter__(self) -> Iterator[Row]:
        """The rows as dicts: times are in UTC, to the microsecond; bags of words are dicts of counts."""
        for batch in self.batches():
            yield from batch.rows(0, len(batch))

    def __len__(self) -> int:
        return len(self.collect())

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        command = self._arguments.line[0]
        if self._table is None:
            return f"<rows of '{command}', not read yet>"
        return f"<{len(self._table)} rows of '{command}'>"

    def _repr_html_(self) -> str:
        table = self.collect()
        names = "".join(f"<th>{html.escape(name)}</th>" for name in table.column_names)
        shown = table.rows(0, min(_SHOWN, len(table)))
        rows = "".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in shown)
        rest = len(table) - len(shown)
        more = f"<p>{rest} more {'row' if rest == 1 else 'rows'}</p>" if rest else ""
        return f"<table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>{more}"

    def _take_messages(self, call: Call) -> None:
        for is_warning, text in call.take_messages():
            if is_warning:
                self._warnings.append(text)
                if self._warns:
                    warnings.warn(text, ThingprintWarning, stacklevel=_level())
            else:
                self._notes.append(text)


def _pairs(words: object) -> Iterator[tuple[str, int]]:
    for pair in words:  # type: ignore[attr-defined]
        yield pair["word"], int(pair["count"])


def _cell(value: object) -> str:
    if value is None:
        return "<td>-</td>"
    text = str(value)
    return f"<td>{html.escape(text if len(text) <= _WIDTH else text[: _WIDTH - 1] + '…')}</td>"


def _level() -> int:
    """Where in the stack the code of the user is, which warnings should name."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("thingprint."):
        level, frame = level + 1, frame.f_back
    return level

