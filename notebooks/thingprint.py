"""Finds the program `thingprint` and runs it in a folder that goes away with the notebook.

The program is the one that the environment variable THINGPRINT names, else the one on PATH, else the one that
`cargo build --release` or `tests/run` left behind.
"""

import html
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import polars as pl
from IPython import get_ipython

CHECKOUT = Path(__file__).resolve().parent.parent

_folder = tempfile.TemporaryDirectory(prefix="thingprint-notebook-")

#: Where commands run and leave their files.
WORK = Path(_folder.name)

#: Exit statuses that come with an answer: done, and done although some input was unreadable.
ANSWERED = (0, 4)


def program() -> Path:
    """The program that `run` runs."""
    named = os.environ.get("THINGPRINT")
    if named:
        path = shutil.which(named)
        if path is None:
            raise FileNotFoundError(f"THINGPRINT is {named!r}, which is no program")
        return Path(path).resolve()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    targets = [os.environ.get("CARGO_TARGET_DIR"), CHECKOUT / "target", cache / "thingprint" / "target"]
    folders = [str(Path(target, "release").resolve()) for target in targets if target]
    for places in [None, os.pathsep.join(folders)]:
        path = shutil.which("thingprint", path=places)
        if path is not None:
            return Path(path).resolve()
    raise FileNotFoundError(
        "no program thingprint: build it with `cargo build --release`, or name it in the variable THINGPRINT"
    )


def run(*arguments: object) -> str:
    """Runs the program in `WORK`, and gives what it writes on standard output."""
    command = [str(argument) for argument in arguments]
    done = subprocess.run([program(), *command], cwd=WORK, capture_output=True, text=True)
    if done.returncode not in ANSWERED:
        raise RuntimeError(
            f"{shlex.join(['thingprint', *command])}: exit status {done.returncode}\n{done.stderr.strip()}"
        )
    return done.stdout


def table(*arguments: object) -> pl.DataFrame:
    """Runs the program, and gives its rows."""
    answer = run(*arguments, "--format", "jsonl", "--quiet")
    return pl.read_ndjson(answer.encode(), infer_schema_length=None)


def home() -> Path:
    """Plays the simulated home for two days, once: `home.pcap`, `labels.csv`, `instances.parquet` and `home.model`."""
    if not (WORK / "instances.parquet").exists():
        run("demo", "--folder", WORK, "--quiet")
    return WORK


def own(path: str) -> Path:
    """A path of yours, as commands that run in `WORK` find it."""
    return Path(path).expanduser().resolve()


def instances(path: str | None) -> pl.DataFrame:
    """The labelled instances of a Parquet file, or of the simulated home; by device, then time."""
    frame = pl.read_parquet(home() / "instances.parquet" if path is None else own(path))
    return frame.filter(pl.col("label").is_not_null()).sort("device", "window_start")


def result(name: str) -> Path | None:
    """The folder of an experiment's result; says how to get it where there is none."""
    folder = CHECKOUT / "results" / name
    if (folder / "metrics.json").exists():
        return folder
    print(f"There is no results/{name}. At the root of the checkout, this writes it:")
    print(f"    thingprint experiment experiments/{name}.toml")
    return None


def set_up_tables() -> None:
    """Shows tables of polars plainly: all rows, no types, no quotes, and - for what is absent."""
    formatter = get_ipython().display_formatter.formatters["text/html"]
    formatter.for_type(pl.DataFrame, _html)
    pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_rows=-1, tbl_cols=-1)


def _html(frame: pl.DataFrame) -> str:
    def row(tag: str, values: tuple) -> str:
        cells = zip(values, frame.dtypes, strict=True)
        return "<tr>" + "".join(_cell(tag, value, kind) for value, kind in cells) + "</tr>"

    lines = ["<table>", "<thead>", row("th", frame.columns), "</thead>", "<tbody>"]
    lines += [row("td", values) for values in frame.iter_rows()]
    return "\n".join([*lines, "</tbody>", "</table>"])


def _cell(tag: str, value: object, kind: pl.DataType) -> str:
    align = "right" if kind.is_numeric() else "left"
    text = "-" if value is None else html.escape(str(value))
    return f'<{tag} style="text-align: {align}">{text}</{tag}>'
