# ruff: noqa: E501 - tables of cases
"""Each name on tables of measurements: one that gets it, and a near miss that does not."""

from typing import Any

import numpy as np
import pytest

from whyfit.callbacks.diagnosis import NAMES, Finding, Measurements, diagnose
from whyfit.callbacks.diagnosis.advice import LESSONS
from whyfit.callbacks.diagnosis.causes import EXPLAINS, root_of
from whyfit.experiments.book.lesson import lessons

EPOCHS, LAYERS = 10, ["one", "two", "three", "out"]
CHANCE = np.log(10)
FLAT = np.full(EPOCHS, CHANCE)
FALLING = CHANCE * np.geomspace(0.7, 0.05, EPOCHS)


def per_layer(*values: float) -> np.ndarray:
    """The same in all epochs."""
    return np.tile(np.array(values, "float64"), (EPOCHS, 1))


def measured(
    history: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
    early: dict[str, Any] | None = None,
    **more: Any,
) -> Measurements:
    """A classifier of three hidden layers of ReLUs that learns ten classes, with changes."""
    table = {
        "gradient_norm": per_layer(0.5, 0.4, 0.4, 0.5),
        "gradient_norm_max": per_layer(1, 1, 1, 1),
        "gradient_norm_peak": per_layer(1, 1, 1, 1),
        "update_ratio": per_layer(2e-3, 2e-3, 2e-3, 2e-3),
        "weight_norm": per_layer(8, 8, 8, 4),
        "distance": per_layer(2, 2, 2, 1.5),
        "gradient_zeros": per_layer(0.3, 0.3, 0.2, 0),
        "gradient_non_finite": per_layer(0, 0, 0, 0),
        "weight_zeros": per_layer(0, 0, 0, 0),
        "weight_non_finite": per_layer(0, 0, 0, 0),
        "dead_units": per_layer(0.1, 0.1, 0.2, 0),
        "saturated_share": per_layer(np.nan, np.nan, np.nan, np.nan),
        "activation_spread": per_layer(0.5, 0.6, 0.7, 0.3),
        "activation_mean": per_layer(0.5, 0.6, 0.7, 0.1),
        "unit_distance": per_layer(12, 14, 15, 3),
        "input_min": per_layer(-2, 0, 0, 0),
        "input_max": per_layer(2, 3, 3, 3),
        "input_largest_feature": per_layer(1, 1, 1, 1),
        "train/loss": FALLING,
        "val/loss": FALLING * 1.05,
        "loss": FALLING,
        "task_loss": FALLING,
        "penalty_loss": np.zeros(EPOCHS),
        "shuffled_loss": np.full(EPOCHS, 4.0),
        "output_min": np.zeros(EPOCHS),
        "output_max": np.ones(EPOCHS),
        "output_mean": np.full(EPOCHS, 0.1),
        "learning_rate": np.full(EPOCHS, 1e-3),
    }
    known = {
        "kinds": ["Dense"] * 4,
        "parameters": [1000, 1000, 1000, 300],
        "kernel_shapes": [[30, 32], [32, 32], [32, 32], [32, 10]],
        "start_norms": [8.0, 8.0, 8.0, 4.0],
        "start_gains": [1.4, 1.4, 1.4, 1.0],
        "start_identical": [False] * 4,
        "units": [32, 32, 32, 10],
        "activations": ["relu", "relu", "relu", "softmax"],
        "output_row": 3,
        "output_units": 10,
        "output_shape": [10],
        "output_activation": "softmax",
        "outputs": 1,
        "loss": "sparse_cross_entropy",
        "from_logits": False,
        "optimizer": "Adam",
        "nonlinear": 3,
        "batch_size": 32,
        "inputs": {"non_finite": 0.0, "float": True},
        "labels": {
            "n": 512, "shape": [], "non_finite": 0.0, "min": 0.0, "max": 9.0, "mean": 4.5, "rms": 5.3, "spread": 2.9,
            "integer": True, "one_hot": False, "classes": 10, "chance": 0.1,
        },
        "baseline_loss": float(CHANCE),
        "reference_skill": 0.9,
    }  # fmt: skip
    first = {
        "step": np.array([1.0]),
        "gradient_norm": np.array([[0.5, 0.5, 0.5, 0.6]]),
        "weight_norm": np.array([[8.0, 8.0, 8.0, 4.0]]),
    }
    return Measurements(
        history={**table, **(history or {})},
        early={**first, **(early or {})},
        layers=LAYERS,
        trainable=[True] * 4,
        facts={**known, **(facts or {})},
        **more,
    )


def losses(curve: np.ndarray, validation: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The curve for all the losses there are."""
    val = curve if validation is None else validation
    return {"train/loss": curve, "val/loss": val, "loss": curve, "task_loss": curve}


AT_CHANCE = losses(FLAT)
SQUARES = {"loss": "squared", "baseline_loss": 1.0, "activations": ["relu", "relu", "relu", None]}
SQUARES |= {"output_units": 1, "output_shape": [1]}
SIZES = {
    "n": 512, "shape": [], "non_finite": 0.0, "min": -3.0, "max": 3.0, "mean": 0.0, "rms": 1.0, "spread": 1.0,
    "integer": False, "one_hot": False, "classes": 0, "below_zero": 0.5, "above_one": 0.15, "below_minus_one": 0.15,
}  # fmt: skip
BAD_STEP = {"epoch": 3, "step": 70, "layers": ["one", "two"]}
TINY = per_layer(1e-7, 1e-5, 1e-3, 0.5)
GROWING = np.tile(np.geomspace(1, 1e6, EPOCHS)[:, None], (1, 4))
HEART = losses(FALLING, np.linspace(CHANCE, 3 * CHANCE, EPOCHS))


def gets(name: str) -> dict[str, Measurements]:
    """Tables that get a name, by what is special about them."""
    return {
        "non_finite": {
            "gradients": measured(losses(np.array([2.0, 1.5, *[np.nan] * 8])), first_non_finite=BAD_STEP),
            "weights under a finite loss": measured({"weight_non_finite": per_layer(0, 1, 0, 0)}),
            "in the data": measured(
                losses(np.full(EPOCHS, np.nan)) | {"gradient_norm_peak": GROWING},
                {"inputs": {"non_finite": 0.01, "float": True}},
                first_non_finite={"epoch": 1, "step": 1, "layers": LAYERS},
            ),
        },
        "exploding_gradients": {
            "grown to no number": measured(
                losses(np.array([2.4, 9.0, *[np.nan] * 8])) | {"gradient_norm_peak": GROWING},
                first_non_finite=BAD_STEP,
            ),
            "over in the first epoch": measured(
                AT_CHANCE | {"dead_units": per_layer(1, 1, 1, 0), "gradient_norm": per_layer(0, 0, 0, 0.1)},
                early={"gradient_norm": np.array([[9e4, 8e4, 6e4, 3e4]])},
            ),
            "avalanche": measured(losses(CHANCE * np.geomspace(20, 4000, EPOCHS))),
        },
        "dead_units": {
            "one layer": measured(
                AT_CHANCE | {"dead_units": per_layer(0.1, 1, 0.2, 0), "gradient_norm": per_layer(0, 0, 0.1, 0.1)}
            ),
        },
        "saturated_units": {
            "tanh": measured(
                AT_CHANCE | {"saturated_share": per_layer(0.9, 0.9, 0.8, np.nan)},
                {"activations": ["tanh", "tanh", "tanh", "softmax"]},
            ),
        },
        "identical_units": {
            "constant": measured(
                AT_CHANCE | {"unit_distance": per_layer(0, 0, 0, 1)}, {"start_identical": [True] * 4}
            ),
            "zeros look dead": measured(
                AT_CHANCE
                | {
                    "unit_distance": per_layer(0, 0, 0, 1),
                    "dead_units": per_layer(1, 1, 1, 0),
                    "gradient_norm": per_layer(0, 0, 0, 0.1),
                    "gradient_norm_max": per_layer(0, 0, 0, 0.1),
                    "weight_zeros": per_layer(1, 1, 1, 0.9),
                },
                {"start_identical": [True] * 4},
            ),
        },
        "vanishing_gradients": {
            "through layers": measured(AT_CHANCE | {"gradient_norm": TINY, "gradient_norm_max": TINY}),
            "through time": measured(
                AT_CHANCE
                | {"first_quarter_effect": np.full(EPOCHS, 1e-9), "last_quarter_effect": np.full(EPOCHS, 0.1)},
                {"kinds": ["SimpleRNN", "SimpleRNN", "Dense", "Dense"], "reference_skill": 0.0},
            ),
            "through time, where there is something to learn": measured(
                AT_CHANCE
                | {"first_quarter_effect": np.full(EPOCHS, 3e-6), "last_quarter_effect": np.full(EPOCHS, 0.1)},
                {"kinds": ["SimpleRNN", "SimpleRNN", "Dense", "Dense"]},
            ),
            "while the last layer learns alone": measured(
                losses(CHANCE * np.linspace(1, 0.75, EPOCHS)) | {"gradient_norm": per_layer(1e-11, 1e-9, 1e-3, 0.5)}
            ),
        },
        "stagnating": {
            "rate": measured(
                AT_CHANCE | {"distance": per_layer(1e-3, 1e-3, 1e-3, 1e-3), "update_ratio": per_layer(*[1e-7] * 4)}
            ),
            "a warm-up without an end": measured(
                AT_CHANCE
                | {
                    "distance": per_layer(1e-3, 1e-3, 1e-3, 1e-3),
                    "update_ratio": per_layer(*[1e-7] * 4),
                    "learning_rate": np.linspace(1e-9, 1e-7, EPOCHS),
                },
                {"epochs": EPOCHS},
            ),
        },
        "oscillating": {
            "units killed by the first steps": measured(
                AT_CHANCE | {"dead_units": per_layer(1, 0.2, 0.2, 0), "update_ratio": per_layer(*[1e-3] * 4)},
                early={
                    "gradient_norm": np.full((4, 4), 0.5),
                    "update_ratio": np.tile([0.1, 0.3, 0.3, 0.3], (4, 1)),
                    "weight_norm": np.tile([8.0, 8.0, 8.0, 4.0], (4, 1)),
                },
            ),
            "jumping": measured(
                losses(CHANCE * np.tile([1.3, 2.1], EPOCHS // 2))
                | {"update_ratio": per_layer(*[0.3] * 4), "distance": per_layer(99, 99, 99, 50)}
            ),
            "thrown onto a plateau": measured(
                losses(CHANCE * np.tile([18.0, 19.0], EPOCHS // 2))
                | {"update_ratio": per_layer(*[0.3] * 4), "distance": per_layer(99, 99, 99, 50)}
            ),
        },
        "overfitting": {
            "by heart": measured(losses(FALLING, CHANCE * np.linspace(0.5, 0.8, EPOCHS))),
            "nothing for others, of labels not known to be bad": measured(HEART, {"reference_skill": None}),
        },
        "underfitting": {
            "at rest": measured(losses(CHANCE * np.linspace(0.8, 0.75, EPOCHS))),
            "weights that a penalty has drawn to nothing": measured(
                AT_CHANCE
                | {
                    "penalty_loss": np.geomspace(60, 0.1, EPOCHS),
                    "train/loss": FLAT + np.geomspace(60, 0.1, EPOCHS),
                    "loss": FLAT + np.geomspace(60, 0.1, EPOCHS),
                    "weight_norm": np.outer(np.geomspace(0.5, 0.01, EPOCHS), [8, 8, 8, 4]),
                    "update_ratio": per_layer(*[0.08] * 4),
                    "distance": per_layer(8, 8, 8, 4),
                    "gradient_norm": TINY,
                }
            ),
            "some by heart, and nothing that holds": measured(
                losses(CHANCE * np.linspace(1, 0.8, EPOCHS), CHANCE * np.linspace(1.05, 1.2, EPOCHS))
            ),
        },
        "frozen": {
            "first layer": measured(
                {"gradient_norm": per_layer(0, 0.5, 0.5, 0.5), "gradient_norm_max": per_layer(0, 0.5, 0.5, 0.5)}
            ),
        },
        "unscaled_inputs": {
            "thousands": measured(AT_CHANCE | {"input_largest_feature": per_layer(4e3, 1, 1, 1)}),
            "thousands that explode": measured(
                losses(np.full(EPOCHS, np.nan))
                | {"input_largest_feature": per_layer(4e3, 1, 1, 1), "gradient_norm_peak": GROWING},
                first_non_finite=BAD_STEP,
            ),
            "tiny": measured(AT_CHANCE | {"input_largest_feature": per_layer(1e-4, 1, 1, 1)}),
        },
        "unscaled_targets": {
            "thousands": measured(
                losses(np.full(EPOCHS, 50.0)), SQUARES | {"labels": SIZES | {"rms": 5e3, "mean": 5e3, "spread": 700}}
            ),
        },
        "wrong_output_or_loss": {
            "softmax on one unit": measured(AT_CHANCE, {"output_units": 1}),
            "logits": measured({"output_min": np.full(EPOCHS, -3.0)}, {"activations": ["relu"] * 3 + [None]}),
            "relu": measured(
                losses(np.full(EPOCHS, 0.7)), SQUARES | {"labels": SIZES, "activations": ["relu"] * 4}
            ),
            "classes as sizes": measured(
                losses(np.full(EPOCHS, 5.0)) | {"train/accuracy": np.full(EPOCHS, 0.12)},
                SQUARES | {"baseline_loss": 8.0},
            ),
            "classes as sizes, well learned": measured(
                losses(8 * FALLING / CHANCE) | {"train/accuracy": np.full(EPOCHS, 0.12)},
                SQUARES | {"baseline_loss": 8.0},
            ),
            "labels that are not there": measured(AT_CHANCE, {"output_units": 5}),
        },
        "bad_labels": {
            "by heart": measured(HEART, {"reference_skill": 0.01}),
            "at chance": measured(AT_CHANCE, {"reference_skill": -0.02}),
        },
    }[name]  # fmt: skip


def misses(name: str) -> dict[str, Measurements]:
    """Tables that look like it and are healthy, or something else."""
    noisy = FALLING * (1 + 0.4 * np.tile([1, -1], EPOCHS // 2))
    return {
        "non_finite": {
            "steps that loss scaling left out": measured({"skipped_steps": np.full(EPOCHS, 3.0)}),
            "a gap in the data that the model fills": measured(facts={"inputs": {"non_finite": 0.1, "float": True}}),
        },
        "exploding_gradients": {
            "clipped": measured({"gradient_norm_peak": per_layer(500, 500, 500, 500)}),
            "recovered": measured(early={"gradient_norm": np.array([[9e4, 8e4, 6e4, 3e4]])}),
        },
        "dead_units": {"sparse and alive": measured({"dead_units": per_layer(0.7, 0.95, 0.5, 0)})},
        "saturated_units": {"sure of itself": measured({"saturated_share": per_layer(0.6, 0.6, 0.6, 0.9)})},
        "identical_units": {
            "a branch that begins at zero": measured(facts={"start_identical": [False, True, False, True]}),
        },
        "vanishing_gradients": {
            "converged": measured({"gradient_norm": per_layer(1e-9, 1e-8, 1e-7, 1e-6)}),
            "small and learning": measured({"gradient_norm": TINY}),
            "small at first, and on its way": measured(
                losses(CHANCE * np.linspace(1, 0.75, EPOCHS)) | {"gradient_norm": per_layer(1e-4, 1e-3, 1e-2, 0.5)}
            ),
        },
        "stagnating": {
            "a warm start": measured(
                losses(np.full(EPOCHS, 0.1))
                | {"distance": per_layer(1e-3, 1e-3, 1e-3, 1e-3), "update_ratio": per_layer(*[1e-6] * 4)}
            ),
        },
        "oscillating": {
            "noise near the end": measured(losses(noisy)),
            "long steps down": measured(
                losses(CHANCE * np.linspace(1, 0.4, EPOCHS))
                | {"update_ratio": per_layer(*[0.03] * 4), "distance": per_layer(50, 50, 50, 25)}
            ),
        },
        "overfitting": {
            "a little worse on others": measured(losses(FALLING, CHANCE * np.linspace(0.3, 0.15, EPOCHS))),
            "dropout in the training loss": measured(losses(FALLING * 2, FALLING)),
            "moving averages that lag": measured(
                losses(FALLING, FLAT) | {"task_loss": FLAT}, {"kinds": ["Dense", "BatchNormalization", "Dense", "Dense"]}
            ),
        },
        "underfitting": {
            "noise that nobody predicts": measured(
                losses(np.linspace(0.8, 0.66, EPOCHS)), SQUARES | {"labels": SIZES, "reference_skill": 0.35}
            ),
            "a penalty in the loss": measured(
                losses(FALLING + 5.0) | {"task_loss": FALLING, "penalty_loss": np.full(EPOCHS, 5.0)}
            ),
        },
        "unscaled_inputs": {"pictures in bytes that learn": measured({"input_largest_feature": per_layer(120, 1, 1, 1)})},
        "unscaled_targets": {
            "hundreds that are reached": measured(
                losses(FALLING), SQUARES | {"baseline_loss": CHANCE, "labels": SIZES | {"rms": 300, "spread": 70}}
            ),
        },
        "wrong_output_or_loss": {
            "logits that are asked for": measured(
                {"output_min": np.full(EPOCHS, -9.0)},
                {"activations": ["relu"] * 3 + [None], "from_logits": True},
            ),
            "tanh for targets within": measured(
                losses(FALLING),
                SQUARES | {"activations": ["relu"] * 3 + ["tanh"], "labels": SIZES | {"below_minus_one": 0.0, "above_one": 0.01}},
            ),
            "counts as sizes": measured(losses(8 * FALLING / CHANCE), SQUARES | {"baseline_loss": 8.0}),
            "accuracy beside a regression": measured(
                losses(FALLING) | {"train/accuracy": np.zeros(EPOCHS)}, SQUARES | {"labels": SIZES}
            ),
        },
        "bad_labels": {"what neighbours cannot tell and it can": measured(facts={"reference_skill": 0.0})},
    }.get(name, {})  # fmt: skip


@pytest.mark.parametrize(("name", "way"), [(name, way) for name in NAMES for way in gets(name)])
def test_a_fault_gets_its_name(name: str, way: str) -> None:
    said = diagnose(gets(name)[way])
    assert said.name == name, said.report
    assert said.findings[0].name == name
    assert said.findings[0].evidence
    assert len(said.findings[0].advice) >= 2
    assert name in said.report


def test_a_penalty_and_a_schedule_are_the_first_to_be_named() -> None:
    crushed = diagnose(gets("underfitting")["weights that a penalty has drawn to nothing"]).findings[0]
    assert "96% of the loss" in crushed.evidence, crushed.evidence
    assert crushed.advice[0].startswith("weaken the penalty")
    decayed = measured(
        AT_CHANCE
        | {
            "distance": per_layer(*[1e-3] * 4),
            "update_ratio": per_layer(*[1e-9] * 4),
            "learning_rate": np.geomspace(1e-3, 1e-9, EPOCHS),
        }
    )
    assert diagnose(decayed).findings[0].advice[0].startswith("let the rate decay later")


@pytest.mark.parametrize(("name", "way"), [(name, way) for name in NAMES for way in misses(name)])
def test_what_only_looks_like_it_is_healthy(name: str, way: str) -> None:
    said = diagnose(misses(name)[way])
    assert said.name == "healthy", said.report
    assert said.findings == []


def test_a_warm_up_is_waited_for() -> None:
    slow = gets("stagnating")["a warm-up without an end"]
    slow.facts["epochs"] = 100
    assert "stagnating" not in [finding.name for finding in diagnose(slow).findings]


def test_a_layer_that_is_meant_to_stay_is_not_frozen() -> None:
    nothing = measured(
        {"gradient_norm": per_layer(np.nan, 0.5, 0.5, 0.5), "gradient_norm_max": per_layer(np.nan, 1, 1, 1)}
    )
    nothing.trainable[0] = False
    assert diagnose(nothing).name == "healthy"


def test_dead_layers_below_are_not_frozen_and_vanished_ones_not_dead() -> None:
    zero = per_layer(0, 0, 0.1, 0.1)
    dead = AT_CHANCE | {"gradient_norm": zero, "gradient_norm_max": zero, "dead_units": per_layer(0, 1, 0, 0)}
    assert [one.name for one in diagnose(measured(dead)).findings if one.name == "frozen"] == []
    faded = AT_CHANCE | {
        "gradient_norm": TINY,
        "gradient_norm_max": TINY,
        "dead_units": per_layer(1, 1, 1, 0),
    }
    first = {"gradient_norm": TINY[:1]}
    assert diagnose(measured(faded, early=first)).name == "vanishing_gradients"


def test_there_has_to_be_enough_to_say_something() -> None:
    whole = measured(AT_CHANCE)
    assert diagnose(Measurements(history={})).name == "undetermined"
    assert diagnose(whole.until(1)).name == "undetermined"
    assert diagnose(measured().until(1)).name in ("healthy", "undetermined")


def test_the_root_is_what_none_of_the_others_explains() -> None:
    def found(*names: str) -> list[Finding]:
        return [Finding(name) for name in names]

    assert root_of(found("underfitting", "dead_units", "unscaled_inputs")) == "unscaled_inputs"
    assert root_of(found("non_finite", "exploding_gradients")) == "exploding_gradients"
    assert root_of(found("underfitting", "vanishing_gradients")) == "vanishing_gradients"
    assert root_of([]) is None


def test_what_explains_what_has_no_circle_and_knows_all_names() -> None:
    assert set(LESSONS) <= set(NAMES)
    assert set(LESSONS.values()) <= set(lessons())
    assert {name for names in EXPLAINS.values() for name in names} | set(EXPLAINS) <= set(NAMES)

    def reachable(name: str, seen: frozenset[str]) -> None:
        assert name not in seen, f"{name} explains itself by way of {sorted(seen)}"
        for other in EXPLAINS.get(name, ()):
            reachable(other, seen | {name})

    for name in NAMES:
        reachable(name, frozenset())


def test_measurements_survive_a_file(tmp_path: Any) -> None:
    whole = measured(AT_CHANCE, first_non_finite=BAD_STEP)
    whole.save(tmp_path / "one.npz")
    again = Measurements.load(tmp_path / "one.npz")
    assert again.facts == whole.facts
    assert again.first_non_finite == BAD_STEP
    assert diagnose(again).report == diagnose(whole).report


def test_a_variant_is_judged_as_if_it_were_alone() -> None:
    good, bad = measured(), measured(AT_CHANCE | {"dead_units": per_layer(0.1, 1, 0.2, 0)})
    both = {name: np.stack([array, bad.history[name]], axis=1) for name, array in good.history.items()}
    early = {
        name: np.stack([array] * 2, axis=1) if array.ndim > 1 else array for name, array in good.early.items()
    }
    population = measured(both, early=early)
    assert population.variants == 2
    assert [diagnose(population.variant(place)).name for place in range(2)] == ["healthy", "dead_units"]
