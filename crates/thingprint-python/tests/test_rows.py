"""Rows are those of the command, in every library that takes them over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pandas
import polars as pl
import pyarrow as pa
import pytest
from conftest import Command, Home

import thingprint
from thingprint import Rows

Function = Callable[[Home], Rows]

#: Each function, and what the command is called with for the same rows.
COMMANDS: dict[str, tuple[Function, list[str]]] = {
    "instances": (lambda home: thingprint.instances(home.capture, labels=home.labels), ["extract", "--labels"]),
    "flows": (lambda home: thingprint.flows(home.capture, labels=home.labels), ["flows", "--labels"]),
    "devices": (lambda home: thingprint.devices(home.capture, labels=home.labels), ["devices", "--labels"]),
    "audit": (lambda home: thingprint.audit(home.capture, labels=home.labels), ["audit", "--labels"]),
    "identify": (lambda home: thingprint.identify(home.capture), ["identify"]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_rows_equal_those_of_the_command(name: str, home: Home, command: Command, tmp_path: Path) -> None:
    function, line = COMMANDS[name]
    result = tmp_path / "result.parquet"
    labels = [home.labels] if "--labels" in line else []
    command.run(*line, *labels, home.capture, "--output", result)
    written, rows = pl.read_parquet(result), function(home)
    frame = rows.to_polars()
    assert frame.height > 0 or name == "audit"
    assert frame.schema == written.schema
    assert frame.hash_rows(seed=1).to_list() == written.hash_rows(seed=1).to_list()
    assert frame.equals(written)
    assert len(rows) == written.height
    assert rows.columns == written.columns
    assert rows.is_complete


def test_options_are_those_of_the_command(home: Home, command: Command, tmp_path: Path) -> None:
    result = tmp_path / "result.parquet"
    options = ["--window", "15m", "--evidence", "ports,domains", "--port-word", "proto/port", "--jobs", "2"]
    command.run("extract", home.capture, *options, "--output", result)
    rows = thingprint.instances(
        [home.capture], window="15m", evidence=["ports", "domains"], jobs=2, options={"port_word": "proto/port"}
    )
    assert rows.to_polars().equals(pl.read_parquet(result))


def test_the_number_of_threads_changes_nothing(home: Home) -> None:
    one, many = (thingprint.flows(home.capture, jobs=jobs).to_polars() for jobs in (1, 4))
    assert one.equals(many)


def test_frames_of_all_libraries_have_the_same_rows(home: Home) -> None:
    rows = thingprint.instances(home.capture, labels=home.labels)
    expected = list(rows)
    frame = rows.to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["device"].tolist() == [row["device"] for row in expected]
    assert frame["domains"].tolist() == [row["domains"] for row in expected]
    table = pa.table(rows)
    assert table.num_rows == len(expected) == len(rows)
    assert table.column("window_start").to_pylist() == [row["window_start"] for row in expected]
    polars = pl.DataFrame(rows)
    assert polars["flow_volume_bytes"].to_list() == [row["flow_volume_bytes"] for row in expected]
    words = [[(word["word"], word["count"]) for word in words] for words in polars["ports"].to_list()]
    assert words == [list(cast(dict[str, int], row["ports"]).items()) for row in expected]


def test_nothing_is_copied_on_the_way(home: Home) -> None:
    rows = thingprint.flows(home.capture)
    first, second = pa.table(rows), pa.table(rows)
    addresses = [
        [buffer.address for chunk in table.column("orig_bytes").chunks for buffer in chunk.buffers() if buffer]
        for table in (first, second)
    ]
    assert addresses[0] == addresses[1]


def test_rows_come_in_batches_and_are_read_anew(home: Home) -> None:
    rows = thingprint.flows(home.capture)
    batches = list(rows.batches())
    assert "not read yet" in repr(rows)
    assert sum(map(len, batches)) == len(rows)
    assert f"{len(rows)} rows of 'flows'" in repr(rows)


def test_labels_may_be_a_mapping(home: Home) -> None:
    device = next(iter(thingprint.devices(home.capture)))["device"]
    rows = thingprint.instances(home.capture, labels={str(device): "thermometer, new"})
    labels = {row["device"]: row["label"] for row in rows if row["label"] is not None}
    assert labels == {device: "thermometer, new"}


def test_a_notebook_shows_some_rows_and_escapes_them(home: Home) -> None:
    first = next(iter(thingprint.devices(home.capture)))["device"]
    rows = thingprint.devices(home.capture, labels={str(first): "<b>&"})
    page = rows._repr_html_()
    assert page.startswith("<table><thead><tr><th>device</th>")
    assert "&lt;b&gt;&amp;" in page and "<b>&" not in page


def test_progress_is_told_to_the_end(home: Home) -> None:
    told: list[tuple[int, int | None]] = []
    thingprint.flows(home.capture, progress=lambda done, total: told.append((done, total))).collect()
    size = home.capture.stat().st_size
    assert told[-1] == (size, size)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_other_threads_go_on(home: Home) -> None:
    rows, turns, over = thingprint.flows(home.capture, jobs=1), 0, threading.Event()

    def read() -> None:
        rows.collect()
        over.set()

    reader = threading.Thread(target=read)
    reader.start()
    while not over.is_set():
        turns += 1
        time.sleep(0.001)
    reader.join()
    assert turns > 20


def test_what_failed_once_can_be_asked_again(tmp_path: Path, home: Home) -> None:
    rows = thingprint.devices(tmp_path / "later.pcap")
    with pytest.raises(thingprint.InputError):
        rows.collect()
    (tmp_path / "later.pcap").write_bytes(home.capture.read_bytes())
    assert len(rows) > 0


def test_a_result_is_true_without_rows(home: Home) -> None:
    rows = thingprint.flows(home.capture, options={"identity": "ip"})
    assert isinstance(rows, Rows) and rows
