"""Which devices are on a network?

Captures become instances of devices, flows, inventories and audits, as tables that Polars, pandas and pyarrow take over;
a classifier learns from labelled instances. Everything means what it means in the command ``thingprint``:

>>> import thingprint
>>> home = getfixture("tmp_path") / "home.pcap"
>>> thingprint.simulate(home, duration="8h", labels=home.with_suffix(".csv"))
>>> devices = thingprint.devices(home, labels=home.with_suffix(".csv"))
>>> any(row["label"] == "osprel-camera" for row in devices)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._commands import audit, devices, flows, identify, instances, run, simulate, table
from ._errors import InputError, ModelMismatch, ThingprintError, ThingprintWarning, UsageError
from ._frames import write_instances
from ._packets import Pipeline
from ._parts import Part
from ._rows import Rows
from ._thingprint import Table, __version__

if TYPE_CHECKING:
    from ._estimators import DeviceClassifier, InstanceVectorizer

__all__ = [
    "DeviceClassifier",
    "InputError",
    "InstanceVectorizer",
    "ModelMismatch",
    "Part",
    "Pipeline",
    "Rows",
    "Table",
    "ThingprintError",
    "ThingprintWarning",
    "UsageError",
    "__version__",
    "audit",
    "devices",
    "flows",
    "identify",
    "instances",
    "run",
    "simulate",
    "table",
    "write_instances",
]


def __getattr__(name: str) -> object:
    """Estimators need scikit-learn, which nothing else does."""
    if name in {"DeviceClassifier", "InstanceVectorizer"}:
        from . import _estimators

        return getattr(_estimators, name)
    raise AttributeError(f"module 'thingprint' has no attribute '{name}'")
