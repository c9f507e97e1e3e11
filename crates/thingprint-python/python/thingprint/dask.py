"""Captures on a cluster of Dask.

Tasks read captures into parts, wherever there is a worker; parts are merged by network and share of the devices. The rows are
those of one reading, whatever the number of workers, and however captures are cut. A task that is lost with its worker is run
again by Dask.

    from dask.distributed import Client
    import thingprint.dask

    client = Client()
    parts = thingprint.dask.read("captures/", window="1h", split="256MB").persist()
    frame = parts.instances(labels="labels.csv").compute()
    missing = parts.problems().compute()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dask
import dask.dataframe
import pandas
import pyarrow
from dask.delayed import Delayed, delayed

from . import _batch
from ._batch import Job, Piece, Place, Problem, Reading
from ._classification import classification_schema, classified, model_bytes
from ._commands import Captures
from ._estimators import DeviceClassifier
from ._growing import Growth, joined
from ._options import Labels, PathLike

__all__ = ["Parts", "classify", "instances", "read", "train"]

#: Shares of the devices of a network, each of which is a partition of a frame.
SHARES = 8
#: Tasks that read captures once more of which the times overlap.
_MOST_AGAIN = 32


class Parts:
    """The parts of captures: what tasks read, and other tasks merge."""

    def __init__(self, job: Job, pieces: Sequence[Piece], problems: Sequence[Problem]) -> None:
        self._job = job
        self._problems = list(problems)
        self._networks: dict[str | None, list[Piece]] = {}
        for piece in pieces:
            self._networks.setdefault(piece.network, []).append(piece)
        self._readings = {
            network: [_task(_batch.read)(piece, job) for piece in pieces] for network, pieces in self._networks.items()
        }
        self._again = {network: _read_again(readings, job) for network, readings in self._readings.items()}

    def instances(self, *, labels: Labels | None = None, no_gateway: bool = False) -> dask.dataframe.DataFrame:
        """The instances as a frame with the columns of :func:`thingprint.instances`, of the types of Arrow.

        All windows of a device are in one partition, in the order of windows.
        """
        meta = _frame(_batch.instances_schema(self._job).empty_table())
        frames = [_task(_frame)(merged[0]) for merged in self._merged(labels, no_gateway)]
        return _joined(frames, meta)

    def problems(self, *, labels: Labels | None = None, no_gateway: bool = False) -> dask.dataframe.DataFrame:
        """What the instances lack: a row with `network`, `capture`, `kind` and `message` for each problem.

        A capture that cannot be read is an `error`. What the command warns of is a `warning`.
        """
        found = [_task(_problems_of)(readings, self._again[name]) for name, readings in self._readings.items()]
        found += [merged[1] for merged in self._merged(labels, no_gateway)]
        frames = [_task(_problem_frame)(problems) for problems in [self._problems, *found]]
        return _joined(frames, _problem_frame([]))

    def persist(self) -> Parts:
        """The same parts, which are read now and kept by the workers."""
        kept = Parts.__new__(Parts)
        kept._job, kept._problems, kept._networks = self._job, self._problems, self._networks
        kept._readings, kept._again = dask.persist(self._readings, self._again)
        return kept

    def __repr__(self) -> str:
        pieces = sum(map(len, self._networks.values()))
        return f"<parts of {pieces} pieces of {len(self._networks)} networks>"

    def _merged(self, labels: Labels | None, no_gateway: bool) -> list[Delayed]:
        """For each share of each network a task that gives its table and its problems."""
        content = _batch.label_bytes(labels)
        merged = []
        for network, readings in self._readings.items():
            again = self._again[network]
            places = [_task(_place)(reading) for reading in readings]
            for number in range(self._job.shares):
                shares = [_task(_share)(reading, number) for reading in readings]
                shares_again = [_task(_shares)(several, number) for several in again]
                task = _task(_merge, nout=2)
                merged.append(task(network, places, shares, shares_again, self._job, content, no_gateway))
        return merged


def read(
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
    """The parts of captures: files, folders and globs that workers find in the same places, or addresses of object stores.

    A task reads a capture, or a section of `split` bytes of it, such as ``"256MB"``. `network_by` keeps networks apart, as
    ``thingprint extract`` does. `shares` is the number of partitions that the devices of each network are put into.
    """
    job = _batch.job(options or {}, shares, window=window, evidence=evidence, gateway=gateway, jobs=1)
    pieces, problems = _batch.plan(captures, network_by, split)
    return Parts(job, pieces, problems)


def instances(
    captures: Captures, *, labels: Labels | None = None, no_gateway: bool = False, **reading: Any
) -> dask.dataframe.DataFrame:
    """The instances of captures, which :func:`read` reads with the other arguments."""
    return read(captures, **reading).instances(labels=labels, no_gateway=no_gateway)


def classify(
    frame: dask.dataframe.DataFrame, model: DeviceClassifier | PathLike, **options: object
) -> dask.dataframe.DataFrame:
    """What ``thingprint classify`` says of instances; `options` are those of the command, such as ``per="window"``.

    All windows of a device have to be in one partition, as :func:`instances` has them. `capture` names the network.
    """
    data = model_bytes(model)
    meta = _frame(classification_schema(data, options).empty_table())
    answers = [_task(_classify)(part, delayed(data), options) for part in frame.to_delayed()]
    return _joined(answers, meta)


def train(frame: dask.dataframe.DataFrame, tasks: int | None = None, **parameters: Any) -> DeviceClassifier:
    """A classifier with these parameters, trained on all labelled instances; so many tasks grow the trees of its forest.

    Each task has all instances, which are small. The model is the one that :meth:`thingprint.DeviceClassifier.fit` gives for
    the same instances, to the bit, whatever the number of tasks.
    """
    growth = Growth(parameters, tasks)
    whole = _task(_together)(frame.to_delayed())
    models = dask.compute(*(_task(_grown)(whole, growth.line, growth.shares, share) for share in growth.shares))
    return joined(models, parameters)


def _joined(frames: Sequence[Delayed], meta: pandas.DataFrame) -> dask.dataframe.DataFrame:
    return dask.dataframe.from_delayed(frames, meta=meta, verify_meta=False)


def _task(function: Any, nout: int | None = None) -> Any:
    """A function as one that makes tasks: the same arguments are the same task."""
    return delayed(function, pure=True, nout=nout)


def _read_again(readings: Sequence[Delayed], job: Job) -> list[Delayed]:
    """Tasks for captures whose times overlap; mostly there is none, and these tasks read nothing."""
    tasks = min(len(readings), _MOST_AGAIN)
    again = _task(_overlapping)([_task(_place)(reading) for reading in readings])
    return [_task(_read_several)(again, job, number, tasks) for number in range(tasks)]


def _overlapping(places: Sequence[Place]) -> list[Piece]:
    return _batch.overlapping(places)


def _read_several(pieces: Sequence[Piece], job: Job, first: int, step: int) -> list[Reading]:
    return [_batch.read(piece, job) for piece in pieces[first::step]]


def _place(reading: Reading) -> Place:
    return reading.place


def _share(reading: Reading, number: int) -> bytes | None:
    return reading.shares[number] if reading.shares else None


def _shares(readings: Sequence[Reading], number: int) -> list[tuple[Piece, bytes | None]]:
    return [(reading.place.piece, _share(reading, number)) for reading in readings]


def _merge(
    network: str | None,
    places: Sequence[Place],
    shares: Sequence[bytes | None],
    again: Sequence[Sequence[tuple[Piece, bytes | None]]],
    job: Job,
    labels: bytes | None,
    no_gateway: bool,
) -> tuple[pyarrow.Table, list[Problem]]:
    several = [pair for pairs in again for pair in pairs]
    instead = [piece for piece, _ in several]
    parts = [
        share for place, share in zip(places, shares, strict=True) if not _batch.is_read_again(place.piece, instead)
    ]
    found = [part for part in [*parts, *(part for _, part in several)] if part is not None]
    return _batch.merge(network, found, job, labels=labels, no_gateway=no_gateway)


def _problems_of(readings: Sequence[Reading], again: Sequence[Sequence[Reading]]) -> list[Problem]:
    several = [reading for readings in again for reading in readings]
    instead = [reading.place.piece for reading in several]
    once = [reading for reading in readings if not _batch.is_read_again(reading.place.piece, instead)]
    return [*_batch.told_again(instead), *(problem for reading in [*once, *several] for problem in reading.problems)]


def _frame(table: pyarrow.Table) -> pandas.DataFrame:
    frame = table.to_pandas(types_mapper=pandas.ArrowDtype)
    assert isinstance(frame, pandas.DataFrame)
    return frame


def _problem_frame(problems: Sequence[Problem]) -> pandas.DataFrame:
    rows = [problem.row() for problem in problems]
    return pandas.DataFrame(rows, columns=list(Problem.COLUMNS), dtype=pandas.ArrowDtype(pyarrow.string()))


def _classify(frame: pandas.DataFrame, model: bytes, options: Mapping[str, object]) -> pandas.DataFrame:
    return _frame(classified(pyarrow.Table.from_pandas(frame, preserve_index=False), model, options))


def _together(frames: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    return pandas.concat(frames, ignore_index=True)


def _grown(
    frame: pandas.DataFrame, line: list[str], shares: list[tuple[int, int]], share: tuple[int, int]
) -> bytes:
    return Growth.of(line, shares).grow(frame, share)
