"""What the command ``classify`` says of instances, wherever they are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow
import pyarrow.compute

from ._batch import NO_PACKETS
from ._errors import InputError, UsageError
from ._estimators import DeviceClassifier
from ._frames import write_instances
from ._options import Arguments, PathLike
from ._rows import Rows
from ._thingprint import Model

#: The column that names the network of an instance, and of an answer.
_NETWORK = "capture"
#: Columns that the command writes where there are labels; here they are always there.
_OF_LABELS = ("label", "right")


def model_bytes(model: DeviceClassifier | PathLike) -> bytes:
    """The bytes of a model file, which machines without the file can read."""
    if isinstance(model, DeviceClassifier):
        return model.model_.to_bytes()
    try:
        data = Path(model).read_bytes()
    except OSError as error:
        raise InputError(f"failed to read model {os.fspath(model)}: {error.strerror}") from error
    Model.from_bytes(data, os.fspath(model))
    return data


def classified(instances: pyarrow.Table, model: bytes, options: Mapping[str, object]) -> pyarrow.Table:
    """The answers of a model about instances, network by network: the columns of the command, `label` and `right` also where
    there is no label, and `capture` for the network."""
    answers = [classification_schema(model, options).empty_table()]
    column = instances.column(_NETWORK)
    for network in sorted(column.unique().to_pylist(), key=lambda name: name or ""):
        of_network = pyarrow.compute.is_null(column) if network is None else pyarrow.compute.equal(column, network)
        with tempfile.TemporaryDirectory(prefix="thingprint-") as folder:
            path = Path(folder) / "instances.jsonl"
            write_instances(instances.filter(of_network), path)
            answers.append(_named(_answers(path, model, options), network))
    return pyarrow.concat_tables(answers)


def classification_schema(model: bytes, options: Mapping[str, object]) -> pyarrow.Schema:
    """The columns of answers."""
    refused = {"model", "output"} & options.keys()
    if refused:
        raise UsageError(f"options: {', '.join(sorted(refused))} cannot be given here")
    with tempfile.TemporaryDirectory(prefix="thingprint-") as folder:
        path = Path(folder) / "empty.pcap"
        path.write_bytes(NO_PACKETS)
        return _named(_answers(path, model, options), None).schema


def _answers(path: Path, model: bytes, options: Mapping[str, object]) -> pyarrow.Table:
    arguments = Arguments("classify", options, [path])
    place = arguments.place("the.model")
    place.write_bytes(model)
    arguments.add("model", place)
    return Rows(arguments, False, warns=False).to_arrow()


def _named(answers: pyarrow.Table, network: str | None) -> pyarrow.Table:
    for column in _OF_LABELS:
        if column not in answers.column_names:
            answers = answers.append_column(column, pyarrow.nulls(answers.num_rows, pyarrow.large_string()))
    names = pyarrow.array([network] * answers.num_rows, pyarrow.large_string())
    return answers.append_column(_NETWORK, names)
