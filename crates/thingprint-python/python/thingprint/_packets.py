"""Packets that a program has in memory."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from ._commands import devices, flows, identify, instances
from ._errors import InputError, UsageError
from ._rows import Rows
from ._thingprint import Table

#: Bytes of a packet, and its time in seconds since 1970: a float to the microsecond, or a decimal to the nanosecond.
Packet = tuple[bytes, float | Decimal]

#: Kinds of frames, with their numbers in the registry of link types of libpcap.
LINK_TYPES: Mapping[str, int] = {"ethernet": 1, "raw": 101, "linux_sll": 113, "linux_sll2": 276}

#: Head of a capture file whose times have nanoseconds: magic number, version, and what nobody uses.
_HEAD = struct.Struct("<IHHiIII")
_MAGIC = 0xA1B23C4D
_SNAPLEN = 0x40000
#: Head of a packet: seconds, nanoseconds, bytes that follow, bytes that there were.
_PACKET = struct.Struct("<IIII")
_NANOS_OF_A_SECOND = 1_000_000_000

_COMMANDS = {"instances": instances, "flows": flows, "devices": devices, "identify": identify}


class Pipeline:
    """Rows of packets that a program has in memory, such as those of scapy or dpkt.

    `packets` gives pairs of the bytes of a frame and its time, in the order of time. They are read once, as the command reads
    standard input: rows leave as windows become final, and a gateway that is not given is decided as packets come.

    >>> import thingprint
    >>> query = bytes.fromhex("02000000000202000000000108004500001c00000000401166cf0a0000010a000002003500350008e3b8")
    >>> answer = bytes.fromhex("02000000000102000000000208004500001c00000000401166cf0a0000020a000001003500350008e3b8")
    >>> packets = [(query, 1_700_000_000.0), (answer, 1_700_000_000.1)]
    >>> rows = thingprint.Pipeline(packets, no_gateway=True).devices()
    >>> [row["device"] for row in rows]
    ['02:00:00:00:00:01', '02:00:00:00:00:02']
    """

    def __init__(self, packets: Iterable[Packet], *, link_type: str = "ethernet", **options: object) -> None:
        if link_type not in LINK_TYPES:
            raise UsageError(f"unknown link type '{link_type}': expected one of {', '.join(LINK_TYPES)}")
        self._packets = packets
        self._link_type = LINK_TYPES[link_type]
        self._options = options

    def instances(self, **options: object) -> Rows:
        """The instances, with the options of :func:`thingprint.instances`."""
        return self._rows("instances", options)

    def flows(self, **options: object) -> Rows:
        """The flows, with the options of :func:`thingprint.flows`."""
        return self._rows("flows", options)

    def devices(self, **options: object) -> Rows:
        """The devices, with the options of :func:`thingprint.devices`."""
        return self._rows("devices", options)

    def identify(self, **options: object) -> Rows:
        """Who the devices are, with the options of :func:`thingprint.identify`."""
        return self._rows("identify", options)

    def _rows(self, command: str, options: Mapping[str, object]) -> Rows:
        function = _COMMANDS[command]
        # The place of the pipe is known when the reading begins.
        rows: Rows = function("-", **(self._options | options))  # type: ignore[operator]
        return PacketRows(rows, self._packets, self._link_type)


class PacketRows(Rows):
    """Rows of packets that come while they are read."""

    def __init__(self, rows: Rows, packets: Iterable[Packet], link_type: int) -> None:
        super().__init__(rows._arguments, rows._progress)
        self._packets = packets
        self._link_type = link_type

    def batches(self) -> Iterator[Table]:
        """The rows in tables, as windows become final."""
        if self._table is not None:
            yield self._table
            return
        read, write = os.pipe()
        self._arguments.line[-1] = f"/dev/fd/{read}"
        pump = _Pump(self._packets, self._link_type, write)
        pump.start()
        try:
            yield from super().batches()
        finally:
            os.close(read)
            pump.join()
            # What the packets raised is why the rest failed.
            if pump.failure is not None:
                raise pump.failure


class _Pump(threading.Thread):
    """Writes packets into a pipe as a capture."""

    def __init__(self, packets: Iterable[Packet], link_type: int, pipe: int) -> None:
        super().__init__(name="thingprint-packets", daemon=True)
        self._packets = packets
        self._link_type = link_type
        self._pipe = pipe
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with os.fdopen(self._pipe, "wb", buffering=1 << 16) as pipe:
                pipe.write(_HEAD.pack(_MAGIC, 2, 4, 0, 0, _SNAPLEN, self._link_type))
                for number, packet in enumerate(self._packets, 1):
                    pipe.write(_framed(number, packet))
        except BrokenPipeError:
            # Nobody wants the rest.
            pass
        except BaseException as error:  # What the iterable raises is raised where the rows are read.
            self.failure = error


def _framed(number: int, packet: Packet) -> bytes:
    try:
        data, time = bytes(packet[0]), packet[1]
        # A float has no more than microseconds of such a time.
        nanos = round(time * 1_000_000) * 1000 if isinstance(time, float) else int(time * _NANOS_OF_A_SECOND)
        seconds, rest = divmod(nanos, _NANOS_OF_A_SECOND)
        return _PACKET.pack(seconds, rest, len(data), len(data)) + data
    except (TypeError, ValueError, ArithmeticError, IndexError, struct.error) as error:
        raise InputError(f"failed to read packet {number}: expected its bytes and its time in seconds: {error}") from error
