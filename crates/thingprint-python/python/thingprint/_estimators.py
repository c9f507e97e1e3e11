"""The classifier of the command as estimators of scikit-learn."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from . import _frames
from ._errors import InputError, ThingprintWarning
from ._options import PathLike, option
from ._thingprint import Instances, Model

Floats = npt.NDArray[np.float64]
Self = TypeVar("Self")

#: Numbers that seeds are drawn from.
_SEEDS = 2**31 - 1


class _Learner(BaseEstimator):  # type: ignore[misc]
    """What learns a model from a frame of instances."""

    model_: Model
    classes_: npt.NDArray[Any]
    n_features_in_: int
    feature_names_in_: npt.NDArray[np.object_]

    def _options(self) -> dict[str, object]:
        raise NotImplementedError

    def _learn(self, X: object, y: object) -> Instances:
        """Trains on a frame; gives its instances with their labels."""
        instances, classes = _labelled(_frames.read(X), y)
        self.model_ = _fit(instances, self._options())
        known = [name for name, _, _ in self.model_.classes]
        self.classes_ = np.array(known) if classes is None else classes
        columns = _frames.names(X)
        self.n_features_in_ = len(columns)
        self.feature_names_in_ = np.array(columns, dtype=object)
        return instances

    def _seed(self) -> int:
        state = self.random_state
        return int(state) if isinstance(state, (int, np.integer)) else _drawn(state)


class DeviceClassifier(ClassifierMixin, _Learner):  # type: ignore[misc]
    """The classifier of ``thingprint train`` and ``classify``, on frames of instances.

    `X` is what :func:`thingprint.instances` returns, or a frame of Polars, pandas or pyarrow with its columns. `y` has the
    classes; without it, the column ``label`` has. The model is that of the command, to the bit: the order of rows, the number
    of threads and the library of the frame change nothing, and :meth:`save` writes the file that the command reads.

    The parameters are the options of ``thingprint train``; `random_state` is its ``--seed``.
    """

    def __init__(
        self,
        *,
        scenario: str = "final",
        recipe: str = "best",
        evidence: str | None = None,
        trust: str | None = None,
        stage0: str = "sparse",
        stage1: str = "forest",
        prior: str = "weka",
        unseen: str = "others",
        trees: int = 100,
        attributes_per_node: int | None = None,
        out_of_fold: int | None = None,
        random_state: int | np.random.RandomState | None = 1,
        n_jobs: int | None = None,
    ) -> None:
        self.scenario = scenario
        self.recipe = recipe
        self.evidence = evidence
        self.trust = trust
        self.stage0 = stage0
        self.stage1 = stage1
        self.prior = prior
        self.unseen = unseen
        self.trees = trees
        self.attributes_per_node = attributes_per_node
        self.out_of_fold = out_of_fold
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: object, y: object = None) -> DeviceClassifier:
        """Learns from labelled instances. Those without a label are left out where there is no `y`."""
        self._learn(X, y)
        return self

    def predict(self, X: object) -> npt.NDArray[Any]:
        """The best guess for each instance."""
        classes, _ = self._predicted(X)
        by_name = {str(name): name for name in self.classes_}
        return np.array([by_name[name] for name in classes], dtype=self.classes_.dtype)

    def predict_proba(self, X: object) -> Floats:
        """The probability of each class of ``classes_``, for each instance."""
        _, shares = self._predicted(X)
        return shares

    def score(self, X: object, y: object = None, sample_weight: object = None) -> float:
        """The share of instances whose best guess is right; those without a label are left out where there is no `y`."""
        if y is not None:
            return float(super().score(X, y, sample_weight))
        truth, guess = _frames.read(X).classes(), self.predict(X)
        right = [str(said) == label for said, label in zip(guess, truth, strict=True) if label is not None]
        if not right:
            raise InputError("no instance has a label: give y, or instances with labels")
        return float(np.mean(right))

    def save(self, path: PathLike) -> None:
        """Writes the model file, which the command reads."""
        check_is_fitted(self, "model_")
        Path(path).write_bytes(self.model_.to_bytes())

    @classmethod
    def load(cls, path: PathLike) -> DeviceClassifier:
        """Reads a model file, as ``thingprint train`` and :meth:`save` write it."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"failed to read model {os.fspath(path)}: {error.strerror}") from error
        return cls._of(Model.from_bytes(data, os.fspath(path)))

    @classmethod
    def of_bytes(cls, data: bytes) -> DeviceClassifier:
        """The classifier in the bytes of a model file."""
        return cls._of(Model.from_bytes(data))

    @classmethod
    def _of(cls, model: Model) -> DeviceClassifier:
        options: dict[str, Any] = dict(model.options)
        options["random_state"] = options.pop("seed")
        numbers = {"trees", "attributes_per_node", "out_of_fold", "random_state"} & options.keys()
        loaded = cls(**(options | {name: int(options[name]) for name in numbers}))
        loaded.model_ = model
        loaded.classes_ = np.array([name for name, _, _ in model.classes])
        return loaded

    def _options(self) -> dict[str, object]:
        options = {name: value for name, value in self.get_params().items() if name not in {"random_state", "n_jobs"}}
        return options | {"seed": self._seed(), "jobs": _jobs(self.n_jobs)}

    def _predicted(self, X: object) -> tuple[list[str], Floats]:
        check_is_fitted(self, "model_")
        classes, data = self.model_.predict(_frames.read(X), _jobs(self.n_jobs))
        known = [name for name, _, _ in self.model_.classes]
        shares = np.frombuffer(data, dtype="<f8").reshape(len(classes), len(known))
        return classes, shares[:, [known.index(str(name)) for name in self.classes_]]


class InstanceVectorizer(TransformerMixin, _Learner):  # type: ignore[misc]
    """Instances as numbers, for estimators of scikit-learn.

    For each bag of words there are two columns, as the stage-0 classifier of that bag says: the number of the likeliest class
    in ``classes_``, and how sure that is. The numbers of the instance follow. What is absent is NaN.

    Stage-0 knows the instances that it was trained on. So :meth:`fit_transform` trains on `cv` - 1 of `cv` parts and answers
    for the other one, as scikit-learn's ``TargetEncoder`` does; with ``cv=None`` it answers for what it was trained on, as the
    classification paper did. `recipe` and `evidence` say which bags there are, as for :class:`DeviceClassifier`.
    """

    def __init__(
        self,
        *,
        recipe: str = "paper",
        evidence: str | None = None,
        cv: int | None = 5,
        random_state: int | np.random.RandomState | None = 1,
        n_jobs: int | None = None,
    ) -> None:
        self.recipe = recipe
        self.evidence = evidence
        self.cv = cv
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: object, y: object = None) -> InstanceVectorizer:
        """Trains a stage-0 classifier for each bag. `y` has the classes; without it, the column ``label`` has."""
        self._learn(X, y)
        return self

    def transform(self, X: object) -> Floats:
        """The columns of instances."""
        check_is_fitted(self, "model_")
        instances = _frames.read(X)
        return _columns(self.model_, instances, _jobs(self.n_jobs))

    def fit_transform(self, X: object, y: object = None, **fit_params: object) -> Floats:
        """Trains on all instances, and gives columns of each that come from others."""
        instances = self._learn(X, y)
        labels = instances.classes()
        if self.cv is None:
            return _columns(self.model_, instances, _jobs(self.n_jobs))
        if None in labels:
            raise InputError("fit_transform needs a label for each instance: leave out the others, or give y")
        folds = StratifiedKFold(self.cv, shuffle=True, random_state=self._seed() % _SEEDS)
        numbers = {name: number for number, (name, _, _) in enumerate(self.model_.classes)}
        parts: list[tuple[npt.NDArray[np.intp], Floats]] = []
        for train, test in folds.split(np.zeros(len(labels)), labels):
            model = _fit(instances.take(train.tolist()), self._options())
            columns = _columns(model, instances.take(test.tolist()), _jobs(self.n_jobs))
            # A part may lack a class: numbers are those of all instances.
            known = np.array([numbers[name] for name, _, _ in model.classes] + [np.nan])
            for bag in range(len(self.model_.bags)):
                of_part = np.nan_to_num(columns[:, 2 * bag], nan=-1).astype(int)
                columns[:, 2 * bag] = known[of_part]
            parts.append((test, columns))
        whole = np.empty((len(labels), parts[0][1].shape[1]))
        for test, columns in parts:
            whole[test] = columns
        return whole

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[np.object_]:
        """Names of the columns."""
        check_is_fitted(self, "model_")
        stage0 = [f"{bag}_{what}" for bag in self.model_.bags for what in ("class", "confidence")]
        return np.array(stage0 + Instances.number_names(), dtype=object)

    def _options(self) -> dict[str, object]:
        # The forest behind the bags is not asked.
        options: dict[str, object] = {"recipe": self.recipe, "evidence": self.evidence, "trees": 1}
        return options | {"seed": self._seed(), "jobs": _jobs(self.n_jobs)}


def _fit(instances: Instances, options: dict[str, object]) -> Model:
    line = [text for name, value in options.items() for text in option(name, value)]
    model, messages = Model.fit(instances, line)
    for is_warning, text in messages:
        if is_warning:
            warnings.warn(text, ThingprintWarning, stacklevel=4)
    return model


def _columns(model: Model, instances: Instances, jobs: int | None) -> Floats:
    rows = len(instances)
    stage0 = np.frombuffer(model.stage0(instances, jobs), dtype="<f8").reshape(rows, 2 * len(model.bags))
    numbers = np.frombuffer(instances.numbers(), dtype="<f8").reshape(rows, len(Instances.number_names()))
    return np.hstack([stage0, numbers])


def _labelled(instances: Instances, y: object) -> tuple[Instances, npt.NDArray[Any] | None]:
    """Instances with the labels of `y`, and its classes."""
    if y is None:
        return instances, None
    classes = np.asarray(y)
    return instances.labelled([str(value) for value in classes]), np.unique(classes)


def _drawn(state: object) -> int:
    return int(check_random_state(state).randint(_SEEDS))


def _jobs(n_jobs: int | None) -> int | None:
    """Threads: all cores for None and -1, as in the command."""
    return None if n_jobs is None or n_jobs < 0 else n_jobs
