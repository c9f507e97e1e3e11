"""Frames of instances, whatever library they are of."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ._errors import InputError
from ._options import PathLike
from ._rows import Rows
from ._thingprint import Instances, Table


def read(frame: object) -> Instances:
    """The instances in a frame of Polars, pandas or pyarrow, in whatever else knows the Arrow PyCapsule interface, or in
    rows of this package."""
    if isinstance(frame, Instances):
        return frame
    if isinstance(frame, Rows):
        return Instances(frame.collect())
    if isinstance(frame, Table):
        return Instances(frame)
    return Instances(_stream(frame))


def write_instances(frame: object, path: PathLike) -> None:
    """Writes a frame of instances as a file of JSON lines, which the command reads."""
    Path(path).write_bytes(read(frame).to_jsonl())


def _stream(frame: Any) -> bytes:
    """A frame as a stream of Arrow's file format."""
    if hasattr(frame, "write_ipc_stream"):
        # As it was before views of texts came into the format.
        sink = frame.write_ipc_stream(None, compat_level=_oldest())
        return bytes(sink.getvalue())
    if hasattr(frame, "iloc") or hasattr(frame, "__arrow_c_stream__"):
        return _through_pyarrow(frame)
    kind = type(frame).__name__
    raise InputError(
        f"failed to read instances: a {kind} is no frame of instances; give what thingprint.instances returns, or a frame "
        "of Polars, pandas or pyarrow with its columns"
    )


def _oldest() -> Any:
    import polars

    return polars.CompatLevel.oldest()


def _through_pyarrow(frame: Any) -> bytes:
    import pyarrow

    if hasattr(frame, "iloc"):
        bags = [name for name in frame.columns if any(isinstance(value, dict) for value in frame[name])]
        frame = frame.assign(**{name: [_words(value) for value in frame[name]] for name in bags})
        table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    else:
        table = pyarrow.table(frame)
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _words(bag: object) -> list[dict[str, object]] | None:
    if not isinstance(bag, dict):
        return None
    return [{"word": word, "count": count} for word, count in bag.items()]


def names(frame: Any) -> list[str]:
    """Names of the columns of a frame."""
    columns = getattr(frame, "columns", None)
    if columns is None or callable(columns):
        columns = getattr(frame, "column_names", [])
    found: Iterable[object] = columns
    return [str(getattr(name, "_name", name)) for name in found]
