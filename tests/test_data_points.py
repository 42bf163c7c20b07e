"""Points and digits: the formulas hold, splits are apart, defaults are as said."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyfit.experiments.data.config import SOURCES, PointsConfig
from whyfit.experiments.data.sharing import first_of_equal, hash_rows, share_out
from whyfit.experiments.data.splits import Data, load

PLANE = ["moons", "circles", "spirals", "additive", "multiplicative"]


def made(name: str, seed: int = 0, **options: Any) -> Data:
    return load(PointsConfig(name, **options), seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PLANE)
def test_shapes_names_and_scales(name: str) -> None:
    data = made(name, train=500, validation=60, test=40)
    assert data.name == name
    assert [len(split) for split in (data.train, data.validation, data.test)] == [500, 60, 40]
    assert (data.train.x.shape, data.train.x.dtype) == ((500, 2), np.float32)
    assert (data.task, data.class_names) == ("binary", ("0", "1"))
    np.testing.assert_allclose(data.mean, data.train.x.mean(0), atol=1e-6)
    np.testing.assert_allclose(data.variance, data.train.x.var(0), rtol=1e-5)
    assert 0.35 < data.train.y.mean() < 0.65
    assert data.digest == made(name, train=500, validation=60, test=40).digest
    assert data.digest != made(name, 1, train=500, validation=60, test=40).digest


def test_points_without_noise_lie_on_their_figures() -> None:
    def exact(name: str) -> tuple[np.ndarray, np.ndarray]:
        data = made(name, noise=0)
        return data.train.x.astype(float), data.train.y

    x, y = exact("moons")
    centres = np.where(y[:, None] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.hypot(*(x - centres).T), 1, atol=1e-5)
    x, y = exact("circles")
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1, 0.5), atol=1e-5)
    x, y = exact("spirals")
    radius = np.hypot(*x.T)
    turned = np.arctan2(x[:, 1], x[:, 0]) - np.pi * (radius + y)
    np.testing.assert_allclose(np.cos(turned), 1, atol=1e-4)
    assert radius.max() < 4


@pytest.mark.parametrize("outcome", ["class", "number"])
def test_outcomes_are_the_sum_and_the_product(outcome: str) -> None:
    for name, formula in (("additive", np.sum), ("multiplicative", np.prod)):
        data = made(name, noise=0, outcome=outcome)
        expected = formula(data.train.x, axis=1)
        if outcome == "class":
            sure = abs(expected) > 1e-6
            assert np.array_equal(data.train.y[sure], (expected > 0)[sure])
        else:
            np.testing.assert_allclose(data.train.y, expected, atol=1e-5)
            assert (data.task, data.class_names) == ("regression", ())
            assert data.target_mean == pytest.approx(data.train.y.mean(), abs=1e-6)
            assert data.target_deviation == pytest.approx(data.train.y.std(), rel=1e-5)


def test_a_linear_model_explains_the_sum_and_nothing_of_the_product() -> None:
    def explained(name: str) -> float:
        data = made(name, noise=0, outcome="number", train=5_000)
        x = np.column_stack([data.train.x, np.ones(len(data.train))])
        rest = data.train.y - x @ np.linalg.lstsq(x, data.train.y, rcond=None)[0]
        return 1 - float(rest.var() / data.train.y.var())

    assert explained("additive") > 0.999
    assert explained("multiplicative") < 0.01


def test_noise_is_of_the_size_asked_for() -> None:
    data = made("additive", noise=0.3, outcome="number", train=20_000)
    assert (data.train.y - data.train.x.sum(axis=1)).std() == pytest.approx(0.3, rel=0.03)
    data = made("circles", noise=0.05, train=20_000)
    radius = np.where(data.train.y == 0, 1, 0.5)
    assert (np.hypot(*data.train.x.T) - radius).std() == pytest.approx(0.05, rel=0.05)


def test_digits_are_all_there_once() -> None:
    data = load(SOURCES["digits"], 0)
    assert (data.train.x.shape, data.train.x.dtype) == ((1_197, 8, 8), np.uint8)
    assert data.task == "classification"
    assert data.class_names == tuple("0123456789")
    assert data.train.x.max() == 16
    whole = np.concatenate([data.train.x, data.validation.x, data.test.x])
    assert len(np.unique(whole.reshape(-1, 64), axis=0)) == 1_797
    (note,) = data.notes
    assert note.count(" 0 of ") == 3
    counts = np.bincount(data.test.y)
    assert counts.max() - counts.min() <= 3
    assert len(made("digits", train=100).train) == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": 9}, "train must be in 10 to 1,000,000, got 9"),
        ({"noise": -1}, "noise must be 0 or more, got -1"),
        ({"noise": float("nan")}, "noise must be 0 or more, got nan"),
        ({"outcome": "number"}, "outcome must be class for moons, got number"),
        ({"name": "digits", "noise": 0.1}, "noise must be 0 for digits, which are not made, got 0.1"),
        ({"name": "digits", "train": 1_500}, r"at most 1,797 .* got 1500 \+ 300 \+ 300"),
    ],
)
def test_a_wrong_value_names_field_rule_and_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PointsConfig(**options)


@settings(max_examples=60, deadline=None)
@given(
    labels=st.lists(st.integers(0, 4), min_size=10, max_size=300).map(np.array),
    shares=st.tuples(st.floats(0.05, 0.45), st.floats(0.05, 0.45)),
    seed=st.integers(0, 9),
)
def test_shares_are_disjoint_complete_and_stratified(
    labels: np.ndarray, shares: tuple[float, float], seed: int
) -> None:
    count = len(labels)
    sizes = int(shares[0] * count), int(shares[1] * count)
    parts = share_out(labels, sizes, np.random.default_rng(seed))
    assert [len(part) for part in parts] == [count - sum(sizes), *sizes]
    assert sorted(np.concatenate(parts)) == list(range(count))
    for part in parts:
        for label in np.unique(labels):
            expected = (labels == label).sum() * len(part) / count
            assert abs((labels[part] == label).sum() - expected) <= 3


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1_000), width=st.integers(1, 30))
def test_hashes_are_equal_where_rows_are(seed: int, width: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 3, (200, width)).astype(np.uint8)
    hashes = hash_rows(rows)
    _, by_rows = np.unique(rows, axis=0, return_inverse=True)
    _, by_hashes = np.unique(hashes, return_inverse=True)
    assert len(set(zip(by_rows, by_hashes, strict=True))) == by_rows.max() + 1 == by_hashes.max() + 1
    first = first_of_equal(hashes)
    assert all((rows[place] != rows[:place]).any(axis=1).all() for place in first)


def test_hashes_tell_pictures_apart_that_differ_in_any_one_bit() -> None:
    bits = np.unpackbits(np.zeros((1, 784), np.uint8), axis=1) ^ np.eye(784 * 8, dtype=np.uint8)
    assert len(np.unique(hash_rows(np.packbits(bits, axis=1)))) == 784 * 8
