"""A forest whose trees are grown apart, and joined to the model that one machine grows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from . import _frames
from ._errors import ThingprintWarning
from ._estimators import DeviceClassifier
from ._options import option
from ._thingprint import Model

#: Tasks among which the trees of a forest are divided where nobody says how many.
TASKS = 8


class Growth:
    """How a forest is divided: everything is decided here, so that a task depends on its arguments alone."""

    def __init__(self, parameters: Mapping[str, Any], tasks: int | None) -> None:
        classifier = DeviceClassifier(**parameters)
        # A seed that is drawn is drawn once.
        self.line = [text for name, value in classifier._options().items() for text in option(name, value)]
        trees = Model.trees(self.line)
        count = max(1, min(TASKS if tasks is None else tasks, trees))
        edges = [trees * number // count for number in range(count + 1)]
        self.shares = list(zip(edges, edges[1:], strict=False))

    @classmethod
    def of(cls, line: list[str], shares: list[tuple[int, int]]) -> Growth:
        """One that was decided elsewhere."""
        growth = cls.__new__(cls)
        growth.line, growth.shares = line, shares
        return growth

    def grow(self, frame: object, share: tuple[int, int]) -> bytes:
        """The model of all labelled instances of a frame with a share of the trees, as the bytes of its file."""
        instances = _frames.read(frame)
        labelled = [place for place, label in enumerate(instances.classes()) if label is not None]
        model, messages = Model.fit(instances.take(labelled), self.line, share)
        if share == self.shares[0]:
            for is_warning, text in messages:
                if is_warning:
                    warnings.warn(text, ThingprintWarning, stacklevel=2)
        return model.to_bytes()


def joined(models: Sequence[bytes], parameters: Mapping[str, Any]) -> DeviceClassifier:
    """The classifier whose trees these models have, in their order."""
    classifier = DeviceClassifier.of_bytes(Model.join(models).to_bytes())
    classifier.set_params(**parameters)
    return classifier
