"""Failures are exceptions by kind, with the messages of the command; what a result lacks is warned of."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Command, Home

import thingprint

MESSAGE = "failed to read no/such.pcap: no such file or folder"


def test_a_missing_file_is_an_input_error_in_the_words_of_the_command(command: Command) -> None:
    with pytest.raises(thingprint.InputError) as raised:
        thingprint.instances("no/such.pcap").collect()
    assert str(raised.value) == MESSAGE
    assert command.run("extract", "no/such.pcap", status=1) == f"error: {MESSAGE}\n"
    assert isinstance(raised.value, OSError) and isinstance(raised.value, thingprint.ThingprintError)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": "soon"}, "invalid value 'soon' for '--window <LENGTH>'"),
        ({"gateway": "ff:ff:ff:ff:ff:ff"}, "--gateway: ff:ff:ff:ff:ff:ff is a group address"),
        ({"options": {"no_such_option": 1}}, "unexpected argument '--no-such-option' found"),
        ({"network_by": "folder", "window": "capture"}, "--network-by: with --window capture each file is"),
    ],
)
def test_a_wrong_option_is_a_usage_error(options: dict[str, object], message: str, home: Home) -> None:
    with pytest.raises(thingprint.UsageError, match="^" + message) as raised:
        thingprint.instances(home.capture, **options).collect()  # type: ignore[arg-type]
    assert isinstance(raised.value, ValueError)
    assert "--help" not in str(raised.value)


def test_no_capture_is_a_usage_error() -> None:
    with pytest.raises(thingprint.UsageError, match="no capture is given"):
        thingprint.flows([])


def test_a_cut_capture_is_warned_of_and_the_rest_is_there(home: Home, command: Command, tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(home.capture.read_bytes()[:-7])
    rows = thingprint.flows(cut)
    with pytest.warns(thingprint.ThingprintWarning, match="cut") as warned:
        assert len(rows) > 100
    assert not rows.is_complete
    assert rows.warnings == [str(warning.message) for warning in warned]
    said = command.run("flows", cut, "--output", tmp_path / "flows.csv", status=4)
    assert [f"warning: {text}" for text in rows.warnings] == [
        line for line in said.splitlines() if line.startswith("warning: ")
    ]
    assert warned[0].filename == __file__


def test_the_gateway_is_in_the_notes(home: Home) -> None:
    rows = thingprint.instances(home.capture)
    rows.collect()
    assert any("the gateway is" in note for note in rows.notes)


def test_an_exception_of_the_progress_ends_the_reading(home: Home) -> None:
    def refuse(done: int, total: int | None) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        thingprint.flows(home.capture, progress=refuse).collect()


def test_an_interrupt_ends_a_reading_at_once(home: Home) -> None:
    # What never ends: a pipe that somebody holds open.
    code = (
        "import os, threading, thingprint\n"
        "read, write = os.pipe()\n"
        f"data = open({str(home.capture)!r}, 'rb').read()\n"
        "threading.Thread(target=os.write, args=(write, data[:60000]), daemon=True).start()\n"
        "print('reading', flush=True)\n"
        "thingprint.flows(f'/dev/fd/{read}').collect()\n"
    )
    said, status = interrupted(code, "reading")
    assert said.rstrip().endswith("KeyboardInterrupt"), said
    assert status == -signal.SIGINT


def test_an_interrupt_ends_a_training_at_once(home: Home) -> None:
    # What takes minutes: very many trees.
    code = (
        "import thingprint\n"
        f"rows = thingprint.instances({str(home.capture)!r}, window='5m', labels={str(home.labels)!r})\n"
        "rows.collect()\n"
        "print('training', flush=True)\n"
        "thingprint.DeviceClassifier(trees=10000).fit(rows)\n"
        "print('trained', flush=True)\n"
    )
    said, status = interrupted(code, "training")
    assert said.rstrip().endswith("KeyboardInterrupt"), said
    assert status == -signal.SIGINT


def interrupted(code: str, begun: str) -> tuple[str, int]:
    """Runs code, and sends it a signal after it has said that it begins: what it says of it, and its exit status."""
    line = [sys.executable, "-c", code]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == f"{begun}\n"
        time.sleep(0.5)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        process.wait(timeout=10)
        assert time.monotonic() - start < 2
    return said, process.returncode
