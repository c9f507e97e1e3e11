"""Rows of a cluster of Spark are those of one reading, also when a worker is killed. Needs Java and the package pyspark."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from captures import DeadlyPipe, cut, deal, digest
from conftest import Command, Home

import thingprint
from thingprint import DeviceClassifier

pytest.importorskip("pyspark", reason="pyspark is not installed: no test of Spark is run")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("there is no Java: no test of Spark is run", allow_module_level=True)

from pyspark.sql import DataFrame, SparkSession  # noqa: E402

import thingprint.spark  # noqa: E402

# Of the versions of pandas and Python that Spark was made for.
pytestmark = [pytest.mark.filterwarnings("ignore:.*pandas:FutureWarning"), pytest.mark.filterwarnings("ignore::ResourceWarning")]


def session(master: str) -> SparkSession:
    """A session without a page, and with few tasks for little data."""
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.log.level": "OFF",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    builder = SparkSession.builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    made: SparkSession = builder.getOrCreate()
    return made


@pytest.fixture(scope="module")
def spark() -> Iterator[SparkSession]:
    """A cluster of two executors, each with a process of its own."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    made = session("local-cluster[2,1,1024]")
    yield made
    made.stop()


def polars(frame: DataFrame, like: pl.DataFrame) -> pl.DataFrame:
    """The rows of a frame in the types of another one: Spark has no unsigned numbers, and no nanoseconds."""
    found = pl.from_arrow(frame.toArrow())
    assert isinstance(found, pl.DataFrame)
    assert found.columns == like.columns
    cast = found.cast(like.schema)
    assert cast.cast(found.schema).equals(found), "nothing is lost"
    return cast


@pytest.mark.parametrize(("files", "split", "shares"), [(1, None, 1), (3, "600kB", 5)])
def test_rows_are_those_of_one_reading(
    files: int, split: str | None, shares: int, home: Home, spark: SparkSession, tmp_path: Path
) -> None:
    whole = thingprint.instances(home.capture, labels=home.labels).to_polars()
    cut(home.capture, tmp_path / "captures", files)
    parts = thingprint.spark.read(spark, tmp_path / "captures", split=split, shares=shares)
    rows = polars(parts.instances(labels=home.labels), whole)
    assert rows.sort("window_start", "device").equals(whole)
    assert digest(rows) == digest(whole)
    assert parts.problems().count() == 0
    parts.unpersist()


def test_the_data_source_gives_rows_of_networks(home: Home, spark: SparkSession, tmp_path: Path) -> None:
    other = tmp_path / "other.pcap"
    thingprint.simulate(other, duration="6h", seed=2)
    cut(home.capture, tmp_path / "captures" / "first", 3)
    cut(other, tmp_path / "captures" / "second", 2)
    (tmp_path / "captures" / "second" / "damaged.pcap").write_bytes(b"no capture at all")
    with pytest.warns(thingprint.ThingprintWarning, match="damaged.pcap"):
        whole = thingprint.instances(
            tmp_path / "captures", network_by="folder", window="30m", labels=home.labels
        ).to_polars()
    thingprint.spark.register(spark)
    given = {"window": "30m", "network_by": "folder", "labels": str(home.labels)}
    source = spark.read.format("thingprint").options(**given)
    frame = source.load(str(tmp_path / "captures"))
    assert frame.rdd.getNumPartitions() == 2
    assert digest(polars(frame, whole)) == digest(whole)
    (problem,) = source.option("rows", "problems").load(str(tmp_path / "captures")).collect()
    assert problem["kind"] == "warning" and "damaged.pcap: unknown capture format" in problem["message"]
    apart = thingprint.spark.read(spark, tmp_path / "captures", window="30m", network_by="folder", shares=2)
    assert digest(polars(apart.instances(labels=home.labels), whole)) == digest(whole)
    (problem,) = apart.problems().collect()
    assert problem["kind"] == "error" and problem["network"] == str(tmp_path / "captures" / "second")
    apart.unpersist()


def test_a_killed_worker_changes_nothing(home: Home, spark: SparkSession, tmp_path: Path) -> None:
    whole = thingprint.instances(home.capture, window="15m").to_polars()
    captures = cut(home.capture, tmp_path, 4)
    pipe = DeadlyPipe(tmp_path / "pipe", captures[2])
    captures[2] = pipe.place
    parts = thingprint.spark.read(spark, captures, window="15m", split="300kB", shares=2)
    assert pipe.killed is not None
    assert digest(polars(parts.instances(), whole)) == digest(whole)
    assert parts.problems().count() == 0
    parts.unpersist()


def test_captures_that_overlap_are_read_together(home: Home, spark: SparkSession, tmp_path: Path) -> None:
    early = cut(home.capture, tmp_path / "cut", 2)
    captures = [early[0], *deal(early[1], tmp_path / "dealt", 2)]
    whole = thingprint.instances(captures).to_polars()
    parts = thingprint.spark.read(spark, captures, shares=2)
    assert digest(polars(parts.instances(), whole)) == digest(whole)
    (problem,) = parts.problems().collect()
    assert problem["kind"] == "note" and problem["message"].startswith("read twice, since their times overlap: ")
    parts.unpersist()


def test_models_are_trained_and_asked_as_by_the_command(
    home: Home, spark: SparkSession, command: Command, tmp_path: Path
) -> None:
    frame = thingprint.spark.instances(spark, home.capture, labels=home.labels, split="1MB", shares=3)
    trained = thingprint.spark.train(frame, trees=5)
    whole = thingprint.instances(home.capture, labels=home.labels).to_polars()
    assert trained.model_.to_bytes() == DeviceClassifier(trees=5).fit(whole).model_.to_bytes()
    assert trained.get_params()["trees"] == 5
    trained.save(tmp_path / "home.model")
    whole.write_parquet(tmp_path / "instances.parquet")
    for per in ("device", "window"):
        line = ["--model", tmp_path / "home.model", "--per", per, tmp_path / "instances.parquet"]
        command.run("classify", *line, "-o", tmp_path / "answers.parquet")
        expected = pl.read_parquet(tmp_path / "answers.parquet")
        answers = thingprint.spark.classify(frame, trained if per == "device" else tmp_path / "home.model", per=per)
        assert digest(polars(answers.drop("capture"), expected)) == digest(expected)


def test_what_cannot_be_meant_is_a_failure(home: Home, spark: SparkSession) -> None:
    with pytest.raises(thingprint.UsageError, match="no size"):
        thingprint.spark.read(spark, home.capture, split="many")
    thingprint.spark.register(spark)
    for name, value in {"window": "soon", "rows": "all", "network_by": "colour"}.items():
        with pytest.raises(Exception, match=f"invalid value '{value}'"):
            spark.read.format("thingprint").option(name, value).load(str(home.capture)).collect()


ONE_MACHINE = """
import sys, polars, thingprint.spark
sys.path.insert(0, sys.argv[3])
from captures import digest
from test_spark import polars as rows_of, session
whole = thingprint.instances(sys.argv[1]).to_polars()
rows = thingprint.spark.instances(session("local[2]"), sys.argv[1], split="1MB", shares=2)
assert digest(rows_of(rows, whole)) == digest(whole)
print("equal")
"""


def test_one_machine_gives_the_same_rows(home: Home, tmp_path: Path) -> None:
    environment = os.environ | {"PYSPARK_PYTHON": sys.executable}
    line = [sys.executable, "-c", ONE_MACHINE, str(home.capture), str(tmp_path), str(Path(__file__).parent)]
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "equal\n", done.stderr
