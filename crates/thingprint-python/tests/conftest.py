"""A simulated home, the command, and what it writes."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

import thingprint


@dataclass(frozen=True)
class Home:
    """A simulated home: a capture and its labels."""

    capture: Path
    labels: Path


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home")
    made = Home(folder / "home.pcap", folder / "labels.csv")
    thingprint.simulate(made.capture, duration="8h", labels=made.labels)
    return made


@pytest.fixture(scope="session")
def command() -> Command:
    """The command, which the variable THINGPRINT names."""
    named = os.environ.get("THINGPRINT", "thingprint")
    path = shutil.which(named)
    if path is None:
        pytest.fail(f"no program {named}: build it, and name it in the variable THINGPRINT")
    return Command(path)


@dataclass(frozen=True)
class Command:
    """Runs the command."""

    path: str

    def run(self, *arguments: object, status: int = 0) -> str:
        """Runs it, and gives what it says on standard error."""
        line = [self.path, *map(str, arguments)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        return done.stderr
