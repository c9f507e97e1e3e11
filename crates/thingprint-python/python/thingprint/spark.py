"""Captures on a cluster of Spark.

Executors read captures into parts; a shuffle brings the parts of a share of the devices of a network together, and merges
them. The rows are those of one reading, whatever the number of executors, and however captures are cut. A task that is lost
with its executor is run again by Spark.

    import thingprint.spark

    parts = thingprint.spark.read(spark, "captures/", window="1h", split="256MB")
    frame = parts.instances(labels="labels.csv")
    missing = parts.problems()

The data source ``thingprint`` gives instances without a shuffle, a task for each network:

    thingprint.spark.register(spark)
    frame = spark.read.format("thingprint").option("window", "1h").option("network_by", "folder").load("captures/")

Columns are those of :func:`thingprint.instances` in the types that Spark has: counts are `bigint`, and times have microseconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from . import _batch
from ._batch import Job, Piece, Place, Problem
from ._classification import classification_schema, classified, model_bytes
from ._commands import Captures
from ._errors import InputError, UsageError
from ._estimators import DeviceClassifier
from ._growing import Growth, joined
from ._options import Labels, PathLike, paths

__all__ = ["Parts", "ThingprintDataSource", "classify", "instances", "read", "register", "train"]

#: Shares of the devices of a network, each of which is merged by a task.
SHARES = 8

_PROBLEMS = pyarrow.schema([(name, pyarrow.string()) for name in Problem.COLUMNS])
#: A row for each share of each part, and for each problem.
_PARTS = pyarrow.schema(
    [
        ("network", pyarrow.string()),
        ("captures", pyarrow.list_(pyarrow.string())),
        ("number", pyarrow.int64()),
        ("section_start", pyarrow.int64()),
        ("section_end", pyarrow.int64()),
        ("first", pyarrow.int64()),
        ("last", pyarrow.int64()),
        ("share", pyarrow.int32()),
        ("part", pyarrow.binary()),
        ("capture", pyarrow.string()),
        ("kind", pyarrow.string()),
        ("message", pyarrow.string()),
    ]
)


def register(spark: SparkSession) -> None:
    """Makes the data source ``thingprint`` known to a session."""
    spark.dataSource.register(ThingprintDataSource)


class Parts:
    """The parts of captures: what executors read and keep, and other tasks merge."""

    def __init__(self, spark: SparkSession, job: Job, parts: DataFrame) -> None:
        self._spark = spark
        self._job = job
        self._first = parts.persist(StorageLevel.MEMORY_AND_DISK)
        self._again = _again(self._first)
        self._later: DataFrame | None = None
        self._parts = self._first
        if self._again:
            pieces = json.dumps([asdict(piece) for piece in self._again])
            later = _source(spark, job).option("pieces", pieces).load(list(self._again[0].captures))
            self._later = later.persist(StorageLevel.MEMORY_AND_DISK)
            captures = [capture for piece in self._again for capture in piece.captures]
            instead = sql.array(*map(sql.lit, captures))
            once = ~sql.arrays_overlap(sql.coalesce("captures", sql.array().cast("array<string>")), instead)
            self._parts = self._first.where(once).unionByName(self._later)

    def instances(self, *, labels: Labels | None = None, no_gateway: bool = False) -> DataFrame:
        """The instances, with the columns of :func:`thingprint.instances`.

        All windows of a device are in one partition.
        """
        job, content = self._job, _batch.label_bytes(labels)

        def merge(key: tuple[pyarrow.Scalar, ...], table: pyarrow.Table) -> pyarrow.Table:
            merged, _ = _batch.merge(key[0].as_py(), _bytes(table), job, labels=content, no_gateway=no_gateway)
            return _plain(merged)

        schema = from_arrow_schema(_plain_schema(_batch.instances_schema(job)))
        return self._by_share().applyInArrow(merge, schema)

    def problems(self, *, no_gateway: bool = False) -> DataFrame:
        """What the instances lack: a row with `network`, `capture`, `kind` and `message` for each problem.

        A capture that cannot be read is an `error`. What the command warns of is a `warning`.
        """
        job = self._job

        def warnings(key: tuple[pyarrow.Scalar, ...], table: pyarrow.Table) -> pyarrow.Table:
            _, problems = _batch.merge(key[0].as_py(), _bytes(table), job, no_gateway=no_gateway)
            return _problem_table(problems)

        read = self._parts.where("message is not null").select(*Problem.COLUMNS)
        merged = self._by_share().applyInArrow(warnings, from_arrow_schema(_PROBLEMS))
        again = _problem_table(_batch.told_again(self._again))
        return read.unionByName(merged).unionByName(self._spark.createDataFrame(again, from_arrow_schema(_PROBLEMS)))

    def unpersist(self) -> None:
        """Has executors forget the parts."""
        self._first.unpersist()
        if self._later is not None:
            self._later.unpersist()

    def _by_share(self) -> Any:
        return self._parts.where("part is not null").select("network", "share", "part").groupBy("network", "share")


def read(
    spark: SparkSession,
    captures: Captures,
    *,
    window: str | None = None,
    evidence: str | Iterable[str] | None = None,
    gateway: str | Iterable[str] | None = None,
    network_by: str | None = None,
    split: int | str | None = None,
    shares: int = SHARES,
    options: Mapping[str, object] | None = None,
) -> Parts:
    """Reads captures into parts, which executors keep: files, folders and globs that they find in the same places, or
    addresses of object stores.

    A task reads a capture, or a section of `split` bytes of it, such as ``"256MB"``. `network_by` keeps networks apart, as
    ``thingprint extract`` does. `shares` is the number of groups that the devices of each network are merged in.
    """
    register(spark)
    job = _batch.job(options or {}, shares, window=window, evidence=evidence, gateway=gateway, jobs=1)
    source = _source(spark, job)
    for name, value in {"network_by": network_by, "split": split}.items():
        if value is not None:
            source = source.option(name, str(value))
    if split is not None:
        _batch.size_bytes(split)
    return Parts(spark, job, source.load([os.fspath(path) for path in paths(captures)]))


def instances(
    spark: SparkSession, captures: Captures, *, labels: Labels | None = None, no_gateway: bool = False, **reading: Any
) -> DataFrame:
    """The instances of captures, which :func:`read` reads with the other arguments.

    Executors keep the parts until the session ends; :meth:`Parts.unpersist` of what :func:`read` gives frees them earlier.
    """
    return read(spark, captures, **reading).instances(labels=labels, no_gateway=no_gateway)


def classify(frame: DataFrame, model: DeviceClassifier | PathLike, **options: object) -> DataFrame:
    """What ``thingprint classify`` says of instances; `options` are those of the command, such as ``per="window"``.

    The model is broadcast. Unless each window is answered for itself, the windows of a device are brought together.
    `capture` names the network.
    """
    data = model_bytes(model)
    schema = _plain_schema(classification_schema(data, options))
    sent = frame.sparkSession.sparkContext.broadcast(data)

    def answers(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        known = list(batches)
        if known:
            yield from _plain(classified(pyarrow.Table.from_batches(known), sent.value, options)).to_batches()

    if options.get("per") != "window":
        frame = frame.repartition("capture", "device")
    return frame.mapInArrow(answers, from_arrow_schema(schema))


def train(frame: DataFrame, tasks: int | None = None, **parameters: Any) -> DeviceClassifier:
    """A classifier with these parameters, trained on all labelled instances; so many tasks grow the trees of its forest.

    Instances are small: they are collected by the driver and sent to each executor once. The model is the one that
    :meth:`thingprint.DeviceClassifier.fit` gives for the same instances, to the bit, whatever the number of tasks.
    """
    growth = Growth(parameters, tasks)
    labelled = frame.where("label is not null").toArrow()
    if not labelled.num_rows:
        raise InputError("no instance has a label: give instances with labels")
    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, labelled.schema) as writer:
        writer.write_table(labelled)
    session = frame.sparkSession
    sent = session.sparkContext.broadcast(sink.getvalue().to_pybytes())
    line, shares = growth.line, growth.shares

    def grow(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        for batch in batches:
            for number in batch.column("id").to_pylist():
                table = pyarrow.ipc.open_stream(sent.value).read_all()
                model = Growth.of(line, shares).grow(table, shares[number])
                yield pyarrow.RecordBatch.from_pydict({"id": [number], "model": [model]})

    numbers = session.range(0, len(shares), 1, len(shares))
    rows = numbers.mapInArrow(grow, "id bigint, model binary").collect()
    sent.unpersist()
    return joined([bytes(row["model"]) for row in sorted(rows, key=lambda row: row["id"])], parameters)


class ThingprintDataSource(DataSource):  # type: ignore[misc]
    """The data source ``thingprint``: instances of captures, a task for each network.

    Options are those of ``thingprint extract`` by their long names, such as ``window``, ``labels`` and ``network_by``. With
    the option ``rows`` as ``problems``, it gives what the instances lack.
    """

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return "thingprint"

    def schema(self) -> StructType:
        """The columns."""
        return from_arrow_schema(_request(self.options).schema())

    def reader(self, schema: StructType) -> DataSourceReader:
        """What makes and reads partitions."""
        return _request(self.options)


class _Pieces(InputPartition):  # type: ignore[misc]
    """What a task reads."""

    def __init__(self, piece: Piece | None, problems: Sequence[Problem] = ()) -> None:
        super().__init__(None)
        self.piece = piece
        self.problems = list(problems)


class _Request(DataSourceReader):  # type: ignore[misc]
    """What is asked of the data source."""

    def __init__(self, captures: Sequence[str], job: Job, options: Mapping[str, str]) -> None:
        self._captures = captures
        self._job = job
        self._rows = options.get("rows", "instances")
        if self._rows not in _KINDS:
            raise UsageError(f"invalid value '{self._rows}' for rows: expected {' or '.join(_KINDS)}")
        self._network_by = options.get("network_by")
        self._split = options.get("split")
        self._pieces = options.get("pieces")
        self._labels = _batch.label_bytes(options.get("labels"))
        self._no_gateway = _value(options.get("no_gateway", "false")) is True

    def schema(self) -> pyarrow.Schema:
        """The columns, in types of Arrow that Spark has."""
        if self._rows == "instances":
            return _plain_schema(_batch.instances_schema(self._job))
        return _PARTS if self._rows == "parts" else _PROBLEMS

    def partitions(self) -> Sequence[InputPartition]:
        """A partition for each piece, or for each network."""
        if self._pieces is not None:
            return [_Pieces(_piece(written)) for written in json.loads(self._pieces)]
        split = self._split if self._rows == "parts" else None
        pieces, problems = _batch.plan(self._captures, self._network_by, split)
        if self._rows != "parts":
            pieces = _batch.whole_networks(pieces)
        return [*map(_Pieces, pieces), *([_Pieces(None, problems)] if problems else [])]

    def read(self, partition: InputPartition) -> Iterator[pyarrow.RecordBatch]:
        """The rows of a partition."""
        assert isinstance(partition, _Pieces)
        table = _KINDS[self._rows](self, partition)
        # A partition without a row still has columns.
        yield from table.to_batches() or [pyarrow.RecordBatch.from_pylist([], schema=table.schema)]

    def _instances(self, partition: _Pieces) -> pyarrow.Table:
        table, _ = self._merged(partition)
        return _plain(table)

    def _problems(self, partition: _Pieces) -> pyarrow.Table:
        return _problem_table(self._merged(partition)[1])

    def _merged(self, partition: _Pieces) -> tuple[pyarrow.Table, list[Problem]]:
        if partition.piece is None:
            return _batch.instances_schema(self._job).empty_table(), partition.problems
        reading = _batch.read(partition.piece, self._job)
        table, problems = _batch.merge(
            partition.piece.network, reading.shares, self._job, labels=self._labels, no_gateway=self._no_gateway
        )
        return table, [*reading.problems, *problems]

    def _parts(self, partition: _Pieces) -> pyarrow.Table:
        rows: list[dict[str, object]] = []
        problems = partition.problems
        if partition.piece is not None:
            reading = _batch.read(partition.piece, self._job)
            place = _place_row(reading.place)
            rows += [place | {"share": number, "part": part} for number, part in enumerate(reading.shares)]
            rows += [place | asdict(problem) for problem in reading.problems]
        rows += [asdict(problem) for problem in problems]
        return pyarrow.Table.from_pylist(rows, schema=_PARTS)


#: What rows the data source gives.
_KINDS: Mapping[str, Callable[[_Request, _Pieces], pyarrow.Table]] = {
    "instances": _Request._instances,
    "problems": _Request._problems,
    "parts": _Request._parts,
}
#: Options of the data source that are none of the command.
_OWN = frozenset({"path", "paths", "rows", "job", "shares", "split", "pieces", "labels", "network_by", "no_gateway"})


def _request(options: Mapping[str, str]) -> _Request:
    given = {name.lower(): value for name, value in options.items()}
    captures = json.loads(given["paths"]) if "paths" in given else [given[name] for name in ("path",) if name in given]
    if "job" in given:
        written = json.loads(given["job"])
        return _Request(captures, Job(written["options"], written["shares"]), given)
    refused = sorted({"shares", "split"} & given.keys())
    if refused:
        raise UsageError(f"{', '.join(refused)}: a data source reads whole networks; give it to thingprint.spark.read")
    of_command = {name: _value(value) for name, value in given.items() if name not in _OWN}
    return _Request(captures, _batch.job(of_command, 1), given)


def _source(spark: SparkSession, job: Job) -> Any:
    return spark.read.format("thingprint").option("rows", "parts").option("job", json.dumps(asdict(job)))


def _value(text: str) -> object:
    """Spark knows texts alone."""
    return {"true": True, "false": False}.get(text.lower(), text)


def _piece(written: Mapping[str, Any]) -> Piece:
    section = written["section"]
    captures = tuple(written["captures"])
    return Piece(written["network"], captures, written["number"], None if section is None else (section[0], section[1]))


def _place_row(place: Place) -> dict[str, object]:
    start, end = place.piece.section or (None, None)
    first, last = place.span or (None, None)
    row: dict[str, object] = {"network": place.piece.network, "captures": list(place.piece.captures), "number": place.piece.number}
    return row | {"section_start": start, "section_end": end, "first": first, "last": last}


def _again(parts: DataFrame) -> list[Piece]:
    """Captures whose times overlap; this is where captures are read."""
    names = ("network", "captures", "number", "section_start", "section_end", "first", "last")
    networks: dict[str | None, list[Place]] = {}
    for row in parts.where("share = 0").select(*names).collect():
        section = None if row["section_start"] is None else (row["section_start"], row["section_end"])
        piece = Piece(row["network"], tuple(row["captures"]), row["number"], section)
        span = None if row["first"] is None else (row["first"], row["last"])
        networks.setdefault(piece.network, []).append(Place(piece, span))
    return [piece for places in networks.values() for piece in _batch.overlapping(places)]


def _bytes(table: pyarrow.Table) -> list[bytes]:
    return [part.as_py() for part in table.column("part")]


def _problem_table(problems: Sequence[Problem]) -> pyarrow.Table:
    return pyarrow.Table.from_pylist([asdict(problem) for problem in problems], schema=_PROBLEMS)


def _plain(table: pyarrow.Table) -> pyarrow.Table:
    return table.cast(_plain_schema(table.schema))


def _plain_schema(schema: pyarrow.Schema) -> pyarrow.Schema:
    """The schema in types that Spark has."""
    return pyarrow.schema([(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(kind: pyarrow.DataType) -> pyarrow.DataType:
    if pyarrow.types.is_large_list(kind):
        return pyarrow.list_(_plain_type(kind.value_type))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([(field.name, _plain_type(field.type)) for field in kind])
    if pyarrow.types.is_uint64(kind):
        return pyarrow.int64()
    if pyarrow.types.is_large_string(kind):
        return pyarrow.string()
    return pyarrow.timestamp("us", "UTC") if pyarrow.types.is_timestamp(kind) else kind
