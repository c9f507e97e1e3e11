"""Rows of a cluster are those of one reading, however captures are cut and whatever happens to workers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dask
import dask.dataframe
import polars as pl
import pyarrow as pa
import pytest
from captures import DeadlyPipe, cut, deal, digest, shuffle
from conftest import Command, Home
from distributed import Client, LocalCluster

import thingprint
import thingprint.dask
from thingprint import DeviceClassifier
from thingprint._batch import Job, merge, plan


@contextmanager
def two_workers() -> Iterator[Client]:
    """A cluster of two workers, each a process."""
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")
    with cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A cluster for all tests that do not disturb it."""
    with two_workers() as client:
        yield client


def polars(frame: Any) -> pl.DataFrame:
    """What a cluster has computed."""
    found = pl.from_arrow(pa.Table.from_pandas(frame, preserve_index=False))
    assert isinstance(found, pl.DataFrame)
    return found


def computed(frame: dask.dataframe.DataFrame) -> pl.DataFrame:
    return polars(frame.compute())


@pytest.mark.parametrize(
    ("files", "split", "shares"), [(1, None, 1), (3, None, 5), (1, "600kB", 2), (2, 1_000_000, 3), (7, "150kB", 1)]
)
def test_rows_are_those_of_one_reading(
    files: int, split: int | str | None, shares: int, home: Home, client: Client, tmp_path: Path
) -> None:
    whole = thingprint.instances(home.capture, labels=home.labels).to_polars()
    cut(home.capture, tmp_path / "captures", files)
    parts = thingprint.dask.read(tmp_path / "captures", split=split, shares=shares)
    frame = parts.instances(labels=home.labels)
    assert frame.npartitions == shares
    assert list(frame.columns) == whole.columns
    rows = computed(frame)
    assert rows.sort("window_start", "device").equals(whole)
    assert digest(rows) == digest(whole)
    with dask.config.set(scheduler="synchronous"):
        assert digest(computed(frame)) == digest(whole)
    assert len(parts.problems().compute()) == 0


def test_a_killed_worker_changes_nothing(home: Home, tmp_path: Path) -> None:
    whole = thingprint.instances(home.capture, window="15m").to_polars()
    captures = cut(home.capture, tmp_path, 4)
    pipe = DeadlyPipe(tmp_path / "pipe", captures[2])
    captures[2] = pipe.place
    with two_workers() as client:
        workers = client.run(os.getpid).values()
        rows = computed(thingprint.dask.instances(captures, window="15m", split="200kB", shares=2))
        assert pipe.killed in workers
        assert pipe.killed not in client.run(os.getpid).values()
    assert digest(rows) == digest(whole)


def test_captures_that_overlap_are_read_together(home: Home, client: Client, tmp_path: Path) -> None:
    early = cut(home.capture, tmp_path / "cut", 2)
    captures = [early[0], *deal(early[1], tmp_path / "dealt", 3)]
    whole = thingprint.instances(captures).to_polars()
    parts = thingprint.dask.read(captures, split="1MB", shares=2).persist()
    assert digest(computed(parts.instances())) == digest(whole)
    (problem,) = parts.problems().compute().to_dict("records")
    assert problem["kind"] == "note" and problem["message"].startswith("read twice, since their times overlap: ")
    assert all(str(path) in problem["message"] for path in captures[1:])
    assert str(captures[0]) not in problem["message"]


@pytest.mark.parametrize(("most_s", "least_pieces"), [(0.05, 10), (1.5, 2)])
def test_a_capture_is_cut_where_its_packets_are_in_order(
    most_s: float, least_pieces: int, home: Home, tmp_path: Path
) -> None:
    capture = shuffle(home.capture, tmp_path / "shuffled.pcap", most_s, seed=4)
    whole = thingprint.instances(capture).to_polars()
    assert len(plan(capture, split="200kB")[0]) >= least_pieces
    parts = thingprint.dask.read(capture, split="200kB", shares=1)
    with dask.config.set(scheduler="synchronous"):
        assert digest(computed(parts.instances())) == digest(whole)
        assert "note" not in set(parts.problems().compute()["kind"]), "nothing is read twice"


def test_a_copy_counts_once(home: Home, client: Client, tmp_path: Path) -> None:
    cut(home.capture, tmp_path, 2)
    (tmp_path / "copy.pcap").write_bytes((tmp_path / "00.pcap").read_bytes())
    whole = thingprint.instances(home.capture).to_polars()
    assert digest(computed(thingprint.dask.instances(tmp_path))) == digest(whole)


def test_networks_are_kept_apart(home: Home, client: Client, tmp_path: Path) -> None:
    other = tmp_path / "other.pcap"
    thingprint.simulate(other, duration="6h", seed=2)
    cut(home.capture, tmp_path / "captures" / "first", 3)
    cut(other, tmp_path / "captures" / "second", 2)
    whole = thingprint.instances(tmp_path / "captures", network_by="folder", labels=home.labels).to_polars()
    assert whole["capture"].n_unique() == 2
    frame = thingprint.dask.instances(tmp_path / "captures", network_by="folder", labels=home.labels, shares=2)
    assert digest(computed(frame)) == digest(whole)


def test_a_damaged_capture_fails_alone(home: Home, client: Client, tmp_path: Path) -> None:
    cut(home.capture, tmp_path, 3)
    (tmp_path / "damaged.pcap").write_bytes(b"no capture at all")
    last = (tmp_path / "02.pcap").read_bytes()
    (tmp_path / "02.pcap").write_bytes(last[:-7])
    with pytest.warns(thingprint.ThingprintWarning):
        whole = thingprint.instances(tmp_path).to_polars()
    parts = thingprint.dask.read(tmp_path, split="1MB").persist()
    assert digest(computed(parts.instances())) == digest(whole)
    problems = parts.problems().compute().sort_values("kind").to_dict("records")
    assert [problem["kind"] for problem in problems] == ["error", "warning"]
    assert [problem["capture"] for problem in problems] == [str(tmp_path / "damaged.pcap"), str(tmp_path / "02.pcap")]
    assert problems[0]["message"].startswith(f"failed to read {tmp_path}/damaged.pcap: unknown capture format")
    assert problems[1]["message"].startswith(f"failed to read {tmp_path}/02.pcap: the capture is cut off")


def test_a_capture_that_is_gone_is_a_problem(home: Home, tmp_path: Path) -> None:
    paths = cut(home.capture, tmp_path, 2)
    parts = thingprint.dask.read(paths, split="1MB")
    paths[1].unlink()
    with dask.config.set(scheduler="synchronous"):
        problems = parts.problems().compute()
        assert set(problems["kind"]) == {"error"} and problems["capture"].unique().tolist() == [str(paths[1])]
        assert digest(computed(parts.instances())) == digest(thingprint.instances(paths[0]).to_polars())


def test_a_capture_that_ends_earlier_than_planned_is_a_problem(home: Home, tmp_path: Path) -> None:
    (path,) = cut(home.capture, tmp_path, 1)
    planned = thingprint.dask.read(path, split="1MB")
    sections = sorted(piece.section for piece in plan(path, split="1MB")[0] if piece.section is not None)
    # It ends between packets, so nothing else tells that it is shorter.
    path.write_bytes(path.read_bytes()[: sections[1][0]])
    with dask.config.set(scheduler="synchronous"):
        problems = planned.problems().compute().to_dict("records")
    assert len(problems) == len(sections) - 1
    assert all("and had" in problem["message"] for problem in problems)


def test_another_capture_in_the_place_of_one_is_read(home: Home, client: Client, tmp_path: Path) -> None:
    path, other = cut(home.capture, tmp_path, 2)
    kept = thingprint.dask.read(path).persist()
    assert computed(kept.instances()).height > 0
    path.write_bytes(other.read_bytes())
    assert digest(computed(thingprint.dask.instances(path))) == digest(thingprint.instances(path).to_polars())


def test_a_network_that_cannot_be_merged_fails_alone(home: Home) -> None:
    hours, minutes = (bytes(thingprint.Part.from_capture(home.capture, window=window)) for window in ("1h", "15m"))
    table, problems = merge("first", [hours, minutes], Job())
    assert table.num_rows == 0
    assert [(problem.network, problem.kind) for problem in problems] == [("first", "error")]


def test_a_copy_in_an_object_store_counts_once(home: Home, tmp_path: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    for number, path in enumerate(cut(home.capture, tmp_path, 2)):
        store.pipe(f"/copies/{number}.pcap", path.read_bytes())
    store.pipe("/copies/copy.pcap", (tmp_path / "00.pcap").read_bytes())
    whole = thingprint.instances(home.capture).to_polars()
    # The store is in the memory of this process.
    with dask.config.set(scheduler="threads"):
        assert digest(computed(thingprint.dask.instances("memory://copies"))) == digest(whole)


def test_captures_of_an_object_store_are_read(home: Home, tmp_path: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    for number, path in enumerate(cut(home.capture, tmp_path, 3)):
        store.pipe(f"/taps/home/{number}.pcap", path.read_bytes())
    store.pipe("/taps/home/notes.txt", b"no capture")
    store.pipe("/taps/home/damaged.pcap", b"no capture at all")
    whole = thingprint.instances(home.capture).to_polars()
    # The store is in the memory of this process.
    with dask.config.set(scheduler="threads"):
        for name in ("memory://taps", "memory://taps/*/*.pcap"):
            parts = thingprint.dask.read(name)
            assert digest(computed(parts.instances())) == digest(whole)
            (problem,) = parts.problems().compute().to_dict("records")
            assert problem["message"].startswith("failed to read memory:///taps/home/damaged.pcap: unknown capture format")
        networks = computed(thingprint.dask.instances("memory://taps/home/[0-9].pcap", network_by="folder"))
    assert networks["capture"].unique().to_list() == ["memory:///taps/home"]
    assert not [thread for thread in threading.enumerate() if thread.name == "thingprint-capture"]


def test_models_are_trained_and_asked_as_by_the_command(
    home: Home, client: Client, command: Command, tmp_path: Path
) -> None:
    frame = thingprint.dask.instances(home.capture, labels=home.labels, split="1MB", shares=3)
    trained = thingprint.dask.train(frame, trees=5)
    whole = thingprint.instances(home.capture, labels=home.labels).to_polars()
    assert trained.model_.to_bytes() == DeviceClassifier(trees=5).fit(whole).model_.to_bytes()
    for tasks in (1, 2, 5, 9):
        apart = thingprint.dask.train(frame, tasks=tasks, trees=5)
        assert apart.model_.to_bytes() == trained.model_.to_bytes()
    trained.save(tmp_path / "home.model")
    whole.write_parquet(tmp_path / "instances.parquet")
    for per in ("device", "window"):
        line = ["--model", tmp_path / "home.model", "--per", per, tmp_path / "instances.parquet"]
        command.run("classify", *line, "-o", tmp_path / "answers.parquet")
        expected = pl.read_parquet(tmp_path / "answers.parquet")
        for model in (trained, tmp_path / "home.model"):
            answers = computed(thingprint.dask.classify(frame, model, per=per))
            assert answers["capture"].is_null().all()
            assert digest(answers.drop("capture")) == digest(expected)


def test_what_cannot_be_meant_is_a_usage_error(home: Home) -> None:
    for options in (
        {"split": "many"},
        {"split": 0},
        {"shares": 0},
        {"network_by": "colour"},
        {"options": {"labels": "labels.csv"}},
    ):
        with pytest.raises(thingprint.UsageError):
            thingprint.dask.read(home.capture, **options)
    with pytest.raises(thingprint.UsageError, match="invalid value 'soon'"):
        thingprint.dask.read(home.capture, window="soon").instances()
    with pytest.raises(thingprint.InputError, match="no such file or folder"):
        thingprint.dask.read("no/such.pcap")
