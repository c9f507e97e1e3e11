"""Captures that are made of others, and rows that are the same in whatever order."""

from __future__ import annotations

import hashlib
import os
import signal
import struct
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random

import polars as pl

HEAD, PACKET = struct.Struct("<IHHiIII"), struct.Struct("<IIII")


def frames(capture: Path) -> tuple[bytes, list[bytes]]:
    """The head of a capture, and its packets with their heads."""
    data = capture.read_bytes()
    at, found = HEAD.size, []
    while at < len(data):
        end = at + PACKET.size + PACKET.unpack_from(data, at)[2]
        found.append(data[at:end])
        at = end
    return data[: HEAD.size], found


def cut(capture: Path, folder: Path, pieces: int) -> list[Path]:
    """A capture as several that follow each other; they are of unequal size."""
    head, packets = frames(capture)
    edges = [len(packets) * number * (number + 1) // (pieces * (pieces + 1)) for number in range(pieces + 1)]
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:02}.pcap" for number in range(pieces)]
    for path, first, last in zip(paths, edges, edges[1:], strict=False):
        path.write_bytes(head + b"".join(packets[first:last]))
    return paths


def deal(capture: Path, folder: Path, pieces: int) -> list[Path]:
    """A capture as several that tell of the same time."""
    head, packets = frames(capture)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:02}.pcap" for number in range(pieces)]
    for number, path in enumerate(paths):
        path.write_bytes(head + b"".join(packets[number::pieces]))
    return paths


def shuffle(capture: Path, place: Path, most_s: float, seed: int) -> Path:
    """A capture in which packets are out of order by up to so many seconds."""
    head, packets = frames(capture)
    unit = {0xA1B2C3D4: 1e-6, 0xA1B23C4D: 1e-9}[HEAD.unpack(head)[0]]
    random = Random(seed)

    def late(packet: bytes) -> float:
        seconds, fraction, *_ = PACKET.unpack_from(packet)
        return float(seconds + fraction * unit + random.uniform(0, most_s))

    ordered: list[bytes] = sorted(packets, key=late)
    place.write_bytes(head + b"".join(ordered))
    return place


def digest(rows: pl.DataFrame) -> str:
    """A hash of rows in any order."""
    keys = [name for name in ("capture", "window_start", "window", "device") if name in rows.columns]
    ordered = rows.sort(*keys, nulls_last=False)
    lines: Sequence[str] = [str(ordered.schema), *map(str, ordered.hash_rows(seed=1).to_list())]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class DeadlyPipe(threading.Thread):
    """A named pipe that has a capture: whoever reads it first is killed in the middle, and the next one gets it all."""

    def __init__(self, place: Path, capture: Path) -> None:
        super().__init__(name="deadly-pipe", daemon=True)
        self.place = place
        self._data = capture.read_bytes()
        #: The process that was killed.
        self.killed: int | None = None
        os.mkfifo(place)
        self.start()

    def run(self) -> None:
        with self.place.open("wb", buffering=0) as pipe:
            pipe.write(self._data[: len(self._data) // 2])
            (self.killed,) = self._readers()
            os.kill(self.killed, signal.SIGKILL)
        while not self._is_written():
            pass

    def _is_written(self) -> bool:
        """Writes all of it; the pipe breaks where the process that was killed has not let go of it yet."""
        try:
            with self.place.open("wb", buffering=0) as pipe:
                left = memoryview(self._data)
                while left:
                    left = left[pipe.write(left) :]
            return True
        except BrokenPipeError:
            return False

    def _readers(self) -> set[int]:
        """Other processes that have the pipe open."""
        found = set()
        for link in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                is_open = link.readlink() == self.place
            except OSError:  # a process that has ended
                continue
            if is_open:
                found.add(int(link.parts[2]))
        return found - {os.getpid()}
