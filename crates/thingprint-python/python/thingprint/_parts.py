"""Parts of a trace, extracted apart and merged."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ._commands import Captures
from ._errors import InputError, UsageError
from ._options import Arguments, Labels, PathLike, paths
from ._progress import Progress
from ._rows import Rows
from ._thingprint import merge_parts, split_part


class Part:
    """What a part of the captures of a network says of its devices.

    Parts that are merged in any order give the rows of one reading of all captures. A part can be pickled, kept in a file
    that the command reads (``thingprint merge``), and is equal to another one with the same content.
    """

    def __init__(self, data: bytes) -> None:
        """The part in the bytes of a file that :meth:`save` or ``thingprint extract --partial`` wrote."""
        self._data = merge_parts([data])

    @classmethod
    def from_capture(
        cls,
        captures: Captures,
        *,
        window: str | None = None,
        evidence: str | Iterable[str] | None = None,
        gateway: str | Iterable[str] | None = None,
        jobs: int | None = None,
        options: Mapping[str, object] | None = None,
        progress: Progress = None,
    ) -> Part:
        """The part of some captures. All parts of a network need the same window, evidence and options."""
        given = {"window": window, "evidence": evidence, "gateway": gateway, "jobs": jobs}
        data, _ = extract_part(captures, given | dict(options or {}), progress)
        return cls(data)

    @classmethod
    def load(cls, path: PathLike) -> Part:
        """Reads a part file."""
        try:
            return cls(Path(path).read_bytes())
        except OSError as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"failed to read {os.fspath(path)}: {error.strerror}") from error

    def save(self, path: PathLike) -> None:
        """Writes the part file."""
        Path(path).write_bytes(self._data)

    def merge(self, *others: Part) -> Part:
        """One part of this one and others. A part that comes twice counts once."""
        merged = Part.__new__(Part)
        merged._data = merge_parts([self._data, *(other._data for other in others)])
        return merged

    def split(self, shares: int) -> list[Part]:
        """One part for each of so many shares of the devices.

        A device is in the same share whatever part it is in, so each share can be merged apart, by another machine. Together
        the shares have the rows of the whole.
        """
        if shares < 1:
            raise UsageError(f"shares: {shares} is less than 1")
        return [Part(data) for data in split_part(self._data, shares)]

    def instances(
        self,
        *,
        labels: Labels | None = None,
        gateway: str | Iterable[str] | None = None,
        no_gateway: bool = False,
    ) -> Rows:
        """The instances of the part, with the gateways that all of it shows, as ``thingprint merge`` writes them."""
        return Rows(merging([self._data], {"labels": labels, "gateway": gateway, "no_gateway": no_gateway}))

    def __bytes__(self) -> bytes:
        return self._data

    def __reduce__(self) -> tuple[type[Part], tuple[bytes]]:
        return Part, (self._data,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"<part {hashlib.sha256(self._data).hexdigest()[:12]} of {len(self._data)} bytes>"


def extract_part(
    captures: Captures, options: Mapping[str, object], progress: Progress = None, *, warns: bool = True
) -> tuple[bytes, Rows]:
    """The bytes of the part of captures, and the messages of the reading as those of rows that are none."""
    arguments = Arguments("extract", {**options, "partial": True}, paths(captures))
    place = arguments.place("captures.part")
    arguments.add("output", place)
    rows = Rows(arguments, progress, warns=warns)
    rows.collect()
    return place.read_bytes(), rows


def merging(parts: Sequence[bytes], options: Mapping[str, object]) -> Arguments:
    """The command that makes instances of parts."""
    arguments = Arguments("merge", options)
    for number, part in enumerate(parts):
        place = arguments.place(f"{number:06}.part")
        place.write_bytes(part)
        arguments.line.append(str(place))
    return arguments
