"""Captures that are read apart on many machines, and merged: what every engine of a cluster does alike.

An engine plans, reads each piece wherever it likes, looks which pieces overlap, and merges each share of the devices of each
network. A step depends on its arguments alone: one that was lost with its machine is run again, and gives the same bytes.
"""

from __future__ import annotations

import mmap
import os
import re
import shutil
import struct
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ._commands import Captures
from ._errors import InputError, ModelMismatch, UsageError
from ._options import Labels, PathLike, label_lines, paths
from ._parts import extract_part, merging
from ._rows import Rows
from ._thingprint import captures as named_captures
from ._thingprint import part_places, split_part

if TYPE_CHECKING:
    import pyarrow

#: Heads of capture files that can be cut between packets: how they begin, and how the length of a packet is written.
_CUTTABLE = {
    bytes.fromhex("a1b2c3d4"): ">",
    bytes.fromhex("a1b23c4d"): ">",
    bytes.fromhex("d4c3b2a1"): "<",
    bytes.fromhex("4d3cb2a1"): "<",
}
_HEAD_BYTES = 24
_PACKET_HEAD_BYTES = 16
#: A packet that claims more is damage, behind which nothing is cut.
_MOST_PACKET_BYTES = 1 << 20
#: What is copied at a time.
_BUFFER_BYTES = 1 << 20
#: Seconds that a pipe is held open for its writer to begin.
_PATIENCE_S = 0.05
#: Shares of a network at most: each carries what is of no device, such as what gateways are known by.
MOST_SHARES = 1024
#: A capture without packets.
NO_PACKETS = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 0x40000, 1)

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


@dataclass(frozen=True)
class Job:
    """How captures are read: the same for all pieces of a job."""

    #: Options of ``thingprint extract``.
    options: Mapping[str, object] = field(default_factory=dict)
    #: Shares of the devices of a network, which are merged apart.
    shares: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.shares <= MOST_SHARES:
            raise UsageError(f"shares: {self.shares} is not from 1 to {MOST_SHARES}")


@dataclass(frozen=True)
class Piece:
    """What is read at a time: captures of one network, or a section of a capture."""

    network: str | None
    captures: tuple[str, ...]
    #: Its place among all pieces: captures that were written at the same time are read in this order.
    number: int
    #: The bytes of the section, between packets; None for whole captures.
    section: tuple[int, int] | None = None
    #: What tells a capture from another one of the same name: what is read is not what was read before.
    stamp: str = ""


@dataclass(frozen=True)
class Problem:
    """What a result lacks, or what is not sure about it."""

    #: None where all captures are of one network.
    network: str | None
    #: None where it is about the network as a whole.
    capture: str | None
    #: `error` where a capture is missing, `warning`, or `note`.
    kind: str
    message: str

    #: Names of the columns of a table of problems.
    COLUMNS = ("network", "capture", "kind", "message")

    def row(self) -> tuple[str | None, str | None, str, str]:
        """The cells of the problem."""
        return self.network, self.capture, self.kind, self.message


@dataclass(frozen=True)
class Place:
    """Where in the trace of a network a piece is."""

    piece: Piece
    #: Times of the first and of the last packet in nanoseconds since 1970; None where there is no packet.
    span: tuple[int, int] | None


@dataclass(frozen=True)
class Reading:
    """What was read of a piece."""

    place: Place
    #: A part for each share of the devices; none where the piece cannot be read.
    shares: tuple[bytes, ...]
    problems: tuple[Problem, ...]


def job(options: Mapping[str, object], shares: int, **frequent: object) -> Job:
    """A job of the options of an engine's function."""
    refused = {"labels", "partial", "network_by", "output"} & options.keys()
    if refused:
        raise UsageError(f"options: {', '.join(sorted(refused))} cannot be given here")
    given = {name: value for name, value in frequent.items() if value is not None} | dict(options)
    return Job({name: _plain(value) for name, value in given.items()}, shares)


def plan(
    captures: Captures, network_by: str | None = None, split: int | str | None = None
) -> tuple[list[Piece], list[Problem]]:
    """The pieces of captures, and what there is to say of files that are no captures.

    Captures larger than `split` bytes are cut between packets, where they are uncompressed pcap files on this machine.
    """
    most = None if split is None else size_bytes(split)
    named = [os.fspath(path) for path in paths(captures)]
    here = [path for path in named if "://" not in path]
    elsewhere = [path for path in named if "://" in path]
    networks: list[tuple[str | None, list[str]]] = []
    said: list[tuple[bool, str]] = []
    if here:
        found, said = named_captures(here, network_by)
        networks += [(name, [os.fspath(path) for path in files]) for name, files in found]
    if elsewhere:
        networks = _with_remote(networks, _remote(elsewhere), network_by)
    pieces: list[Piece] = []
    for network, files in networks:
        for file in files:
            stamp = _stamp(file)
            for section in [None] if most is None or "://" in file else _sections(file, most):
                pieces.append(Piece(network, (file,), len(pieces), section, stamp))
    return pieces, [Problem(None, None, "warning" if is_warning else "note", text) for is_warning, text in said]


def whole_networks(pieces: Iterable[Piece]) -> list[Piece]:
    """One piece for each network."""
    networks: dict[str | None, list[Piece]] = {}
    for piece in pieces:
        networks.setdefault(piece.network, []).append(piece)
    return [
        Piece(name, tuple(capture for piece in of for capture in piece.captures), of[0].number)
        for name, of in networks.items()
    ]


def read(piece: Piece, job: Job) -> Reading:
    """Reads a piece. What cannot be read is a problem of this piece, and none of the job."""
    name = ", ".join(piece.captures)
    try:
        with _opened(piece) as (places, shown):
            data, rows = extract_part(places, job.options, False, warns=False)
            messages = [_renamed(text, shown) for text in rows.warnings]
    except OSError as error:  # an InputError, or what a file system says
        text = str(error) if isinstance(error, InputError) else f"failed to read {name}: {error}"
        return Reading(Place(piece, None), (), (Problem(piece.network, name, "error", text),))
    spans = [span for _, span in part_places(data) if span is not None]
    span = (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None
    shares = (data,) if job.shares == 1 else tuple(split_part(data, job.shares))
    warnings = tuple(Problem(piece.network, name, "warning", text) for text in messages)
    return Reading(Place(piece, span), shares, warnings)


def overlapping(places: Iterable[Place]) -> list[Piece]:
    """Captures of a network that tell of the same time, as pieces that have to be read in place of them.

    A part knows nothing of packets between its own. One reading orders the packets of all captures by their times, so
    captures that overlap become one part.
    """
    spans: dict[str, tuple[int, int]] = {}
    numbers: dict[str, int] = {}
    disordered: set[str] = set()
    network: str | None = None
    for place in sorted(places, key=lambda place: place.piece.number):
        network = place.piece.network
        for capture in place.piece.captures:
            numbers.setdefault(capture, place.piece.number)
            if place.span is None:
                continue
            first, last = place.span
            if capture in spans:
                if first < spans[capture][1]:
                    disordered.add(capture)
                first, last = min(first, spans[capture][0]), max(last, spans[capture][1])
            spans[capture] = (first, last)
    groups: list[list[str]] = []
    end: int | None = None
    for capture in sorted(spans, key=lambda capture: (spans[capture], numbers[capture])):
        first, last = spans[capture]
        if end is not None and first < end:
            groups[-1].append(capture)
            end = max(end, last)
        else:
            groups.append([capture])
            end = last
    again = [sorted(group, key=numbers.__getitem__) for group in groups if len(group) > 1 or group[0] in disordered]
    return [Piece(network, tuple(group), numbers[group[0]]) for group in again]


def is_read_again(piece: Piece, again: Iterable[Piece]) -> bool:
    """Whether other pieces take the place of a piece."""
    return any(capture in other.captures for other in again for capture in piece.captures)


def told_again(again: Iterable[Piece]) -> list[Problem]:
    """What there is to say of pieces that were read again."""
    text = "read twice, since their times overlap: {}"
    return [Problem(piece.network, None, "note", text.format(", ".join(piece.captures))) for piece in again]


def merge(
    network: str | None,
    parts: Sequence[bytes],
    job: Job,
    *,
    labels: bytes | None = None,
    no_gateway: bool = False,
) -> tuple[pyarrow.Table, list[Problem]]:
    """The instances of a share of the devices of a network, from the parts of that share."""
    if not parts:
        return instances_schema(job).empty_table(), []
    arguments = merging(parts, {"no_gateway": no_gateway})
    if labels is not None:
        place = arguments.place("labels.csv")
        place.write_bytes(labels)
        arguments.add("labels", place)
    rows = Rows(arguments, False, warns=False)
    try:
        table = rows.to_arrow()
    except ModelMismatch as error:
        # Other networks have their rows.
        return instances_schema(job).empty_table(), [Problem(network, None, "error", str(error))]
    if network is not None:
        column = table.schema.get_field_index("capture")
        table = table.set_column(column, table.schema.field(column), _repeated(network, table, column))
    return table, [Problem(network, None, "warning", text) for text in rows.warnings]


def instances_schema(job: Job) -> pyarrow.Schema:
    """The columns of instances."""
    with tempfile.TemporaryDirectory(prefix="thingprint-") as folder:
        path = Path(folder) / "empty.pcap"
        path.write_bytes(NO_PACKETS)
        data, _ = extract_part([path], job.options, False, warns=False)
    return Rows(merging([data], {}), False, warns=False).to_arrow().schema


def label_bytes(labels: Labels | None) -> bytes | None:
    """The bytes of a label file, which machines without the file can read."""
    if labels is None:
        return None
    if isinstance(labels, Mapping):
        return label_lines(labels).encode()
    try:
        return Path(labels).read_bytes()
    except OSError as error:
        raise InputError(f"failed to read {os.fspath(labels)}: {error.strerror}") from error


def size_bytes(text: int | str) -> int:
    """A size such as ``256MB`` in bytes."""
    found = re.fullmatch(r"([0-9]+) ?([A-Z]*)", str(text).strip().upper())
    if found is None or found[2] not in _UNITS or int(found[1]) == 0:
        raise UsageError(f"split: '{text}' is no size: expected a number of bytes, or one such as 256MB")
    return int(found[1]) * _UNITS[found[2]]


def _plain(value: object) -> object:
    """A value that another machine can read."""
    if isinstance(value, (str, bool, int, float)) or value is None:
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return [_plain(each) for each in value] if isinstance(value, Iterable) else str(value)


def _repeated(network: str, table: pyarrow.Table, column: int) -> pyarrow.Array:
    import pyarrow

    return pyarrow.repeat(pyarrow.scalar(network, table.schema.field(column).type), table.num_rows)


def _renamed(text: str, shown: Mapping[str, str]) -> str:
    """A message with the names of captures in place of those of pipes."""
    for place, name in shown.items():
        text = text.replace(place, name)
    return text


@contextmanager
def _opened(piece: Piece) -> Iterator[tuple[list[PathLike], dict[str, str]]]:
    """The paths that a piece is read from, and the names of those that are none of its own.

    Sections, and captures that are on no file system, come through named pipes. A pipe has the name of the capture, since
    parts of the same times are put in the order of names. Captures that are read together become files, since it takes two
    readings to find a capture that is a copy of another one.
    """
    if piece.section is None and not any("://" in capture for capture in piece.captures):
        yield [*piece.captures], {}
        return
    folder = Path(tempfile.mkdtemp(prefix="thingprint-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        pumps: list[_Pump] = []
        places: list[PathLike] = []
        shown: dict[str, str] = {}
        for number, capture in enumerate(piece.captures):
            if piece.section is None and "://" not in capture:
                places.append(capture)
                continue
            # A folder for each, since captures of two folders may have the same name.
            place = folder / str(number)
            place.mkdir()
            place /= _base_name(capture, piece.section)
            places.append(str(place))
            if len(piece.captures) > 1:
                shown[str(place)] = capture
                with _source(capture) as source, open(place, "wb") as copy:
                    shutil.copyfileobj(source, copy, _BUFFER_BYTES)
                continue
            os.mkfifo(place)
            pumps.append(_Pump(capture, piece.section, place))
        for pump in pumps:
            pump.start()
        shown |= {str(pump.place): pump.capture for pump in pumps}
        # Whoever has not opened the pipes by then never will.
        stack.callback(_let_end, pumps)
        failure: InputError | None = None
        try:
            yield places, shown
        except InputError as error:
            failure = InputError(_renamed(str(error), shown))
    # What the file system says is why the reading failed.
    found = next((pump.failure for pump in pumps if pump.failure is not None), failure)
    if found is not None:
        raise found


def _base_name(capture: str, section: tuple[int, int] | None) -> str:
    name = capture.rstrip("/").rpartition("/")[2]
    return name if section is None else f"{name}@{section[0]:016}"


class _Pump(threading.Thread):
    """Writes a capture, or a section of it, into a pipe."""

    def __init__(self, capture: str, section: tuple[int, int] | None, place: Path) -> None:
        super().__init__(name="thingprint-capture", daemon=True)
        self.capture = capture
        self.place = place
        self._section = section
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with open(self.place, "wb", buffering=0) as pipe, _source(self.capture) as source:
                if self._section is None:
                    while data := source.read(_BUFFER_BYTES):
                        _write_all(pipe, data)
                    return
                start, end = self._section
                _write_all(pipe, source.read(_HEAD_BYTES))
                source.seek(start)
                while start < end and (data := source.read(min(_BUFFER_BYTES, end - start))):
                    _write_all(pipe, data)
                    start += len(data)
                if start < end:
                    raise OSError(f"{self.capture} ends at byte {start}, and had {end} when it was cut: plan the reading again")
        except BrokenPipeError:
            # Nobody wants the rest.
            pass
        except Exception as error:  # Whatever a file system raises is why there is no capture.
            self.failure = error if isinstance(error, OSError) else OSError(f"{type(error).__name__}: {error}")


def _write_all(pipe: IO[bytes], data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[pipe.write(view) :]


def _let_end(pumps: Iterable[_Pump]) -> None:
    """Lets pumps end that wait for a reader."""
    for pump in pumps:
        while pump.is_alive():
            reader = os.open(pump.place, os.O_RDONLY | os.O_NONBLOCK)
            pump.join(_PATIENCE_S)
            os.close(reader)


@contextmanager
def _source(capture: str) -> Iterator[IO[bytes]]:
    if "://" not in capture:
        with open(capture, "rb") as file:
            yield file
        return
    with _fsspec().open(capture, "rb") as file:
        yield file


def _fsspec() -> Any:
    try:
        import fsspec
    except ImportError as error:
        raise InputError("failed to read captures of an object store: install fsspec and its package for the store") from error
    return fsspec


def _remote(named: Iterable[str]) -> list[str]:
    """The captures that addresses of object stores stand for."""
    found: list[str] = []
    for address in named:
        system, path = _fsspec().core.url_to_fs(address)
        if any(letter in path for letter in "*?["):
            files = sorted(system.glob(path))
        elif system.isdir(path):
            files = [file for file in sorted(system.find(path)) if _NAMED.search(file)]
        else:
            files = [path]
        if not files:
            raise InputError(f"failed to read {address}: there is no capture")
        found += [system.unstrip_protocol(file) for file in files]
    return found


def _stamp(capture: str) -> str:
    """What changes when another capture takes the name of this one; empty where nobody knows."""
    try:
        if "://" in capture:
            system, path = _fsspec().core.url_to_fs(capture)
            return str(system.ukey(path))
        known = os.stat(capture)
    except (OSError, NotImplementedError):
        return ""
    return f"{known.st_size} {known.st_mtime_ns}"


#: How files of captures are named.
_NAMED = re.compile(r"\.(pcap|pcapng|cap)(\.(gz|zst|bz2|xz|lz4))?$", re.IGNORECASE)


def _with_remote(
    networks: list[tuple[str | None, list[str]]], captures: Iterable[str], network_by: str | None
) -> list[tuple[str | None, list[str]]]:
    by_name = {name: list(files) for name, files in networks}
    for capture in captures:
        names = {None: None, "file": capture, "folder": capture.rpartition("/")[0]}
        if network_by not in names:
            raise UsageError(f"invalid value '{network_by}' for network_by: expected folder or file")
        by_name.setdefault(names[network_by], []).append(capture)
    return sorted(by_name.items(), key=lambda item: item[0] or "")


def _sections(capture: str, most: int) -> list[tuple[int, int] | None]:
    """Sections of about `most` bytes between packets; one of None where a capture is read as a whole."""
    size = os.path.getsize(capture) if os.path.isfile(capture) else 0
    if size <= most:
        return [None]
    with open(capture, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        order = _CUTTABLE.get(data[:4])
        if order is None:
            return [None]
        cuts = [_HEAD_BYTES, *_cuts(data, struct.Struct(order + "III"), most), size]
    return list(zip(cuts, cuts[1:], strict=False)) if len(cuts) > 2 else [None]


def _cuts(data: mmap.mmap, head: struct.Struct, most: int) -> list[int]:
    """Places where a capture can be cut: no packet behind one is of an earlier time than one before it, as captures of several
    queues have them, since only a reading of both would put them into order."""
    cuts: list[tuple[int, tuple[int, int]]] = []
    at, end, latest = _HEAD_BYTES, len(data) - _PACKET_HEAD_BYTES, (0, 0)
    while at <= end:
        seconds, fraction, length = head.unpack_from(data, at)
        if length > _MOST_PACKET_BYTES:
            break
        time = (seconds, fraction)
        if time < latest:
            while cuts and cuts[-1][1] > time:
                cuts.pop()
        elif at - (cuts[-1][0] if cuts else _HEAD_BYTES) >= most:
            cuts.append((at, latest))
        latest = max(latest, time)
        at += _PACKET_HEAD_BYTES + length
    return [place for place, _ in cuts]
