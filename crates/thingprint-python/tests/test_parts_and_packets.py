"""Parts merge to the rows of one reading; packets in memory give the rows of standard input."""

from __future__ import annotations

import itertools
import pickle
import struct
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from conftest import Command, Home

import thingprint
from thingprint import Part, Pipeline

HEAD, PACKET = struct.Struct("<IHHiIII"), struct.Struct("<IIII")


def packets(capture: Path) -> Iterator[tuple[bytes, Decimal]]:
    """The packets of a capture, as another library would give them."""
    data = capture.read_bytes()
    magic, *_ = HEAD.unpack_from(data)
    unit = {0xA1B2C3D4: Decimal("1e-6"), 0xA1B23C4D: Decimal("1e-9")}[magic]
    at = HEAD.size
    while at < len(data):
        seconds, fraction, length, _ = PACKET.unpack_from(data, at)
        at += PACKET.size
        yield data[at : at + length], seconds + fraction * unit
        at += length


@pytest.fixture(scope="module")
def halves(home: Home, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The capture of the home, cut in the middle of an hour."""
    data = home.capture.read_bytes()
    at, places = HEAD.size, []
    while at < len(data):
        places.append(at)
        at += PACKET.size + PACKET.unpack_from(data, at)[2]
    middle = places[len(places) * 5 // 9]
    folder = tmp_path_factory.mktemp("halves")
    (folder / "1.pcap").write_bytes(data[:middle])
    (folder / "2.pcap").write_bytes(data[: HEAD.size] + data[middle:])
    return [folder / "1.pcap", folder / "2.pcap"]


def test_parts_in_any_order_give_the_rows_of_one_reading(home: Home, halves: list[Path]) -> None:
    whole = thingprint.instances(home.capture, labels=home.labels).to_polars()
    parts = [Part.from_capture(half) for half in halves]
    apart = pl.concat([thingprint.instances(half, labels=home.labels).to_polars() for half in halves])
    assert apart.height > whole.height
    for first, second in itertools.permutations(parts):
        merged = first.merge(second, first)
        rows = merged.instances(labels=home.labels).to_polars()
        assert rows.sort("device", "window_start").equals(whole.sort("device", "window_start"))
        assert merged == second.merge(first)


def test_a_part_comes_back_from_a_pickle_and_is_the_file_of_the_command(
    halves: list[Path], command: Command, tmp_path: Path
) -> None:
    part = Part.from_capture(halves[0])
    assert pickle.loads(pickle.dumps(part)) == part
    part.save(tmp_path / "own.part")
    command.run("extract", halves[0], "--partial", "--output", tmp_path / "command.part")
    assert Part.load(tmp_path / "command.part") == Part.load(tmp_path / "own.part") == part
    command.run("merge", tmp_path / "own.part", "--output", tmp_path / "rows.parquet")
    assert part.instances().to_polars().equals(pl.read_parquet(tmp_path / "rows.parquet"))


def test_shares_of_devices_are_merged_apart(home: Home, halves: list[Path]) -> None:
    whole = thingprint.instances(home.capture, labels=home.labels).to_polars()
    first, second = (Part.from_capture(half).split(3) for half in halves)
    merged = [one.merge(other).instances(labels=home.labels).to_polars() for one, other in zip(first, second, strict=True)]
    assert sum(rows.height > 0 for rows in merged) > 1
    devices = [set(rows["device"]) for rows in merged]
    assert sum(map(len, devices)) == len(set().union(*devices))
    assert pl.concat(merged).sort("window_start", "device").equals(whole)
    with pytest.raises(thingprint.ModelMismatch, match="tells of share 2 of 3 of the devices, the parts before it of share 1"):
        first[0].merge(second[1])
    with pytest.raises(thingprint.ModelMismatch, match="tells of all of the devices"):
        first[0].merge(Part.from_capture(halves[1]))
    with pytest.raises(thingprint.UsageError, match="shares: 0"):
        first[0].split(0)
    with pytest.raises(thingprint.InputError, match="the part is share 1 of 3 already"):
        first[0].split(2)


def test_parts_of_other_options_are_refused(halves: list[Path]) -> None:
    hours, minutes = Part.from_capture(halves[0]), Part.from_capture(halves[1], window="15m")
    with pytest.raises(thingprint.ModelMismatch, match="extract all with the same options"):
        hours.merge(minutes)
    with pytest.raises(thingprint.InputError, match="part 1"):
        Part(b"no part")
    with pytest.raises(thingprint.InputError, match="no.part"):
        Part.load("no.part")


@pytest.mark.parametrize("name", ["instances", "flows", "devices"])
def test_packets_in_memory_give_the_rows_of_standard_input(
    name: str, home: Home, command: Command, tmp_path: Path
) -> None:
    pipeline = Pipeline(packets(home.capture), no_gateway=True, labels=home.labels)
    rows = getattr(pipeline, name)().to_polars()
    line = [name.replace("instances", "extract"), "-", "--no-gateway", "--labels", home.labels]
    with home.capture.open("rb") as capture:
        result = tmp_path / "rows.parquet"
        done = [command.path, *map(str, line), "--output", str(result), "--quiet"]
        subprocess.run(done, stdin=capture, check=True)
    assert rows.equals(pl.read_parquet(result))


def test_rows_of_packets_leave_before_the_packets_end(home: Home) -> None:
    given = 0

    def counted() -> Iterator[tuple[bytes, Decimal]]:
        nonlocal given
        for packet in packets(home.capture):
            given += 1
            yield packet

    total = sum(1 for _ in packets(home.capture))
    assert next(iter(Pipeline(counted(), no_gateway=True).instances(options={"window": "15m"}))) is not None
    assert given <= total


@pytest.mark.filterwarnings("ignore::thingprint.ThingprintWarning")
def test_what_the_packets_raise_is_raised() -> None:
    def failing() -> Iterator[tuple[bytes, float]]:
        yield bytes(60), 1.0
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        Pipeline(failing(), no_gateway=True).devices().collect()
    with pytest.raises(thingprint.InputError, match="failed to read packet 1: expected its bytes and its time"):
        Pipeline([("text", None)], no_gateway=True).devices().collect()  # type: ignore[list-item]
    with pytest.raises(thingprint.UsageError, match="unknown link type 'wifi'"):
        Pipeline([], link_type="wifi")
