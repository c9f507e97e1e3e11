"""Plays the simulated home in a folder that goes away with the notebook, and shows its tables plainly."""

import html
import tempfile
from pathlib import Path

import polars as pl
import thingprint
from IPython import get_ipython

CHECKOUT = Path(__file__).resolve().parent.parent

_folder = tempfile.TemporaryDirectory(prefix="thingprint-notebook-")

#: Where notebooks leave their files.
WORK = Path(_folder.name)


def home() -> Path:
    """Plays the simulated home for two days, once: `home.pcap` and `labels.csv`; the folder of both."""
    if not (WORK / "home.pcap").exists():
        thingprint.simulate(WORK / "home.pcap", duration="2d", labels=WORK / "labels.csv", progress=False)
    return WORK


def own(path: str) -> Path:
    """A path of yours."""
    return Path(path).expanduser().resolve()


def instances(path: str | None) -> pl.DataFrame:
    """The labelled instances of a Parquet file, or of the simulated home; by device, then time."""
    if path is None:
        rows = thingprint.instances(home() / "home.pcap", labels=home() / "labels.csv", progress=False)
        frame = rows.to_polars()
    else:
        frame = pl.read_parquet(own(path))
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
