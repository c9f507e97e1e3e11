"""Estimators give the answers of the command, to the bit, and keep the rules of scikit-learn."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from conftest import Command, Home
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import thingprint
from thingprint import DeviceClassifier, InstanceVectorizer

TREES = 10


@pytest.fixture(scope="module")
def frame(home: Home) -> pl.DataFrame:
    rows = thingprint.instances(home.capture, labels=home.labels).to_polars()
    return rows.filter(pl.col("label").is_not_null())


@pytest.fixture(scope="module")
def trained(frame: pl.DataFrame) -> DeviceClassifier:
    return DeviceClassifier(trees=TREES).fit(frame)


@pytest.mark.parametrize("options", [{}, {"recipe": "paper"}, {"scenario": "domains"}, {"random_state": 7}])
def test_the_model_is_that_of_the_command(
    options: dict[str, Any], frame: pl.DataFrame, command: Command, tmp_path: Path
) -> None:
    frame.write_parquet(tmp_path / "instances.parquet")
    line = [f"--{name.replace('random_state', 'seed')}={value}" for name, value in options.items()]
    command.run("train", tmp_path / "instances.parquet", f"--trees={TREES}", *line, "-o", tmp_path / "home.model")
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=3)
    DeviceClassifier(trees=TREES, **options).fit(shuffled).save(tmp_path / "own.model")
    assert (tmp_path / "own.model").read_bytes() == (tmp_path / "home.model").read_bytes()


def test_answers_are_those_of_the_command(
    frame: pl.DataFrame, trained: DeviceClassifier, command: Command, tmp_path: Path
) -> None:
    trained.save(tmp_path / "home.model")
    frame.write_parquet(tmp_path / "instances.parquet")
    line = ["--model", tmp_path / "home.model", "--per", "window", "--probabilities"]
    command.run("classify", *line, tmp_path / "instances.parquet", "-o", tmp_path / "answers.parquet")
    answers = pl.read_parquet(tmp_path / "answers.parquet")
    order = frame.sort("device", "window_start")
    assert answers["device"].to_list() == order["device"].to_list()
    assert trained.predict(order).tolist() == answers["best_guess"].to_list()
    shares = trained.predict_proba(order)
    assert shares.max(axis=1).tolist() == answers["confidence"].to_list()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_every_frame_gives_the_same_answers(home: Home, trained: DeviceClassifier) -> None:
    rows = thingprint.instances(home.capture, labels=home.labels)
    expected = trained.predict_proba(rows).tobytes()
    for same in (rows.to_polars(), rows.to_pandas(), rows.to_arrow(), rows.collect()):
        assert trained.predict_proba(same).tobytes() == expected


def test_labels_may_be_given_apart(frame: pl.DataFrame) -> None:
    y = frame["label"].to_numpy()
    apart = DeviceClassifier(trees=TREES).fit(frame.drop("label"), y)
    assert apart.classes_.tolist() == sorted(set(y))
    assert apart.score(frame, y) == apart.score(frame) > 0.8
    numbers = DeviceClassifier(trees=TREES).fit(frame, np.unique(y, return_inverse=True)[1])
    assert numbers.predict(frame).dtype.kind == "i"
    assert numbers.predict_proba(frame).shape == (frame.height, len(set(y)))


def test_a_classifier_comes_back_from_a_pickle_a_clone_and_a_file(
    frame: pl.DataFrame, trained: DeviceClassifier, tmp_path: Path
) -> None:
    expected = trained.predict_proba(frame).tobytes()
    assert pickle.loads(pickle.dumps(trained)).predict_proba(frame).tobytes() == expected
    trained.save(tmp_path / "home.model")
    loaded = DeviceClassifier.load(tmp_path / "home.model")
    assert loaded.predict_proba(frame).tobytes() == expected
    again = clone(loaded).fit(frame)
    assert again.model_.to_bytes() == trained.model_.to_bytes()
    assert clone(trained).set_params(trees=3).get_params()["trees"] == 3


def test_failures_have_the_words_of_the_command(
    home: Home, frame: pl.DataFrame, trained: DeviceClassifier, tmp_path: Path
) -> None:
    with pytest.raises(thingprint.UsageError, match="invalid value 'most' for '--recipe"):
        DeviceClassifier(recipe="most").fit(frame)
    with pytest.raises(thingprint.InputError, match="no column `device`"):
        trained.predict(frame.drop("device"))
    with pytest.raises(thingprint.ModelMismatch, match="extracted with|the model was trained"):
        trained.predict(thingprint.instances(home.capture, window="30m"))
    with pytest.raises(thingprint.InputError, match="a ndarray is no frame of instances"):
        trained.predict(np.zeros((3, 3)))
    (tmp_path / "no.model").write_bytes(b"no model")
    with pytest.raises(thingprint.ModelMismatch, match="no.model"):
        DeviceClassifier.load(tmp_path / "no.model")
    with pytest.raises(thingprint.InputError, match="no.such"):
        DeviceClassifier.load(tmp_path / "no.such")


def test_a_classifier_is_cross_validated_as_any_other(frame: pl.DataFrame) -> None:
    scores = cross_val_score(DeviceClassifier(trees=TREES), frame, frame["label"].to_numpy(), cv=2)
    assert scores.min() > 0.5


def test_columns_of_stage_0_feed_other_estimators(frame: pl.DataFrame) -> None:
    y = frame["label"].to_numpy()
    vectorizer = InstanceVectorizer(cv=2)
    columns = vectorizer.fit_transform(frame)
    names = vectorizer.get_feature_names_out().tolist()
    assert names[:2] == ["ports_class", "ports_confidence"] and "sleep_time_s" in names
    assert columns.shape == (frame.height, len(names))
    known = columns[:, 0][~np.isnan(columns[:, 0])]
    assert set(known) <= set(range(len(set(y))))
    # What stage-0 says of instances that it was trained on is another thing.
    assert not np.array_equal(columns, vectorizer.transform(frame), equal_nan=True)
    assert np.array_equal(InstanceVectorizer(cv=None).fit_transform(frame), vectorizer.transform(frame), equal_nan=True)
    model = make_pipeline(InstanceVectorizer(cv=2), HistGradientBoostingClassifier(min_samples_leaf=2))
    assert model.fit(frame, y).score(frame, y) > 0.8


#: Why checks of scikit-learn fail that pass arrays of numbers: there is no device, no window and no word in them.
NO_FRAME = "takes frames of instances, and not arrays of numbers"
TAKES_ARRAYS = (
    "check_classifier_data_not_an_array",
    "check_classifiers_classes",
    "check_classifiers_one_label",
    "check_classifiers_regression_target",
    "check_classifiers_train",
    "check_complex_data",
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimator_sparse_array",
    "check_estimator_sparse_matrix",
    "check_estimator_sparse_tag",
    "check_estimators_dtypes",
    "check_estimators_empty_data_messages",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit1d",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_requires_y_none",
    "check_supervised_y_2d",
    "check_supervised_y_no_nan",
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_preserve_dtypes",
)


def expected_failures(estimator: BaseEstimator) -> dict[str, str]:
    return dict.fromkeys(TAKES_ARRAYS, NO_FRAME)


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [DeviceClassifier(), InstanceVectorizer()], expected_failed_checks=expected_failures, xfail_strict=True
)
def test_rules_of_scikit_learn_are_kept(estimator: BaseEstimator, check: Any) -> None:
    check(estimator)
