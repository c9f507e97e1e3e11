"""The commands as functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ._options import Arguments, Labels, PathLike, paths
from ._progress import Progress
from ._rows import Rows

Captures = PathLike | Iterable[PathLike]


def table(command: str, *arguments: PathLike, progress: Progress = None, **options: object) -> Rows:
    """The rows of any command that writes a table, such as ``classify``: with its arguments, and its options as keywords."""
    return Rows(Arguments(command, options, arguments), progress)


def run(command: str, *arguments: PathLike, progress: Progress = None, **options: object) -> Rows:
    """Runs any command to its end, such as ``evaluate`` with the option `output`; gives its rows where it has some."""
    rows = table(command, *arguments, progress=progress, **options)
    rows.collect()
    return rows


def instances(
    captures: Captures,
    *,
    window: str | None = None,
    labels: Labels | None = None,
    jobs: int | None = None,
    evidence: str | Iterable[str] | None = None,
    gateway: str | Iterable[str] | None = None,
    no_gateway: bool = False,
    network_by: str | None = None,
    options: Mapping[str, object] | None = None,
    progress: Progress = None,
) -> Rows:
    """One row for each device and window: what ``thingprint extract`` writes.

    `captures` are files, folders and globs. `labels` is a label file, or a mapping of addresses to classes. `options`
    are further options of the command, by their long names.
    """
    return _rows("extract", locals())


def flows(
    captures: Captures,
    *,
    labels: Labels | None = None,
    attributes: bool = False,
    jobs: int | None = None,
    gateway: str | Iterable[str] | None = None,
    no_gateway: bool = False,
    network_by: str | None = None,
    options: Mapping[str, object] | None = None,
    progress: Progress = None,
) -> Rows:
    """One row for each flow, with its protocol and service: what ``thingprint flows`` writes.

    With `attributes`, the messages that a flow shows come along as JSON.
    """
    return _rows("flows", locals())


def devices(
    captures: Captures,
    *,
    labels: Labels | None = None,
    jobs: int | None = None,
    gateway: str | Iterable[str] | None = None,
    no_gateway: bool = False,
    network_by: str | None = None,
    options: Mapping[str, object] | None = None,
    progress: Progress = None,
) -> Rows:
    """One row for each device, with what it says of itself: what ``thingprint devices`` writes."""
    return _rows("devices", locals())


def audit(
    captures: Captures,
    *,
    policy: PathLike | None = None,
    labels: Labels | None = None,
    jobs: int | None = None,
    gateway: str | Iterable[str] | None = None,
    no_gateway: bool = False,
    options: Mapping[str, object] | None = None,
    progress: Progress = None,
) -> Rows:
    """One row for each finding by the rules of a policy: what ``thingprint audit`` writes."""
    return _rows("audit", locals())


def identify(
    captures: Captures,
    *,
    statements: bool = False,
    knowledge: PathLike | Iterable[PathLike] | None = None,
    jobs: int | None = None,
    gateway: str | Iterable[str] | None = None,
    no_gateway: bool = False,
    options: Mapping[str, object] | None = None,
    progress: Progress = None,
) -> Rows:
    """One row for each device, with who it is by what it says, and why: what ``thingprint identify`` writes.

    With `statements`, one row for each statement of a device, word for word.
    """
    return _rows("identify", locals())


def simulate(
    output: PathLike,
    *,
    duration: str = "2d",
    home: PathLike = "default",
    labels: PathLike | None = None,
    start: str | None = None,
    seed: int = 1,
    snaplen: int | None = None,
    progress: Progress = None,
) -> None:
    """Writes a capture of a simulated home, and its label file where `labels` names one.

    The same arguments give the same bytes as ``thingprint simulate``.
    """
    run("simulate", **locals())


def _rows(command: str, given: dict[str, Any]) -> Rows:
    """The rows of a command on captures, of all arguments that a function was given."""
    captures, options, progress = (given.pop(name) for name in ("captures", "options", "progress"))
    return Rows(Arguments(command, given | dict(options or {}), paths(captures)), progress)
