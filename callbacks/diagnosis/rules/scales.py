"""What goes in, what is asked for, and whether the output can give it."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..case import Case
from ..finding import Finding
from ..losses_known import PROBABILITIES, REGRESSES
from .numbers import data_source

LARGE = 10.0
"""Size of inputs or targets. Initializers and rates take it for about 1 (LeCun et al. 1998, "Efficient
BackProp", 4.3); an order of magnitude is what optimizers put up with."""
SMALL = 1e-2
"""The same downwards, where steps take long instead of exploding: two orders."""
MATERIAL, MUCH = 0.05, 0.2
"""Share of labels that the output cannot reach, above which it matters; and above which it does so where the
others are learned."""
_NORMALIZING = (
    "BatchNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "RMSNormalization",
    "Embedding",
)


def unscaled_inputs(case: Case) -> Finding | None:
    """What the first layer is given is far from size 1, or lies far from 0 by its spread, and it fails to
    learn."""
    if not case.stuck and not _broken(case):
        return None
    row = next((row for row in range(len(case.layers)) if np.isfinite(case.table("input_max")[0, row])), None)
    if row is None or case.per_layer("kinds")[row] in _NORMALIZING:
        return None
    if not (case.facts.get("inputs") or {}).get("float", True) and not _given_raw(case, row):
        return None
    size = float(np.nanmax(case.table("input_largest_feature")[:, row]))
    if data_source(case) or not np.isfinite(size):
        return None
    low, high = (float(case.table(name)[0, row]) for name in ("input_min", "input_max"))
    span = f"inputs of {case.layers[row]} lie in [{low:.3g}, {high:.3g}]"
    if size > LARGE:
        text = (
            f"{span}; the largest of its features has size {size:.3g}, where 1 is what weights "
            f"and rates are made for"
        )
    elif 0 < size < SMALL:
        text = (
            f"{span}; none of its features is larger than {size:.3g}, where 1 is what weights "
            f"and rates are made for"
        )
    else:
        return None
    return Finding("unscaled_inputs", (case.layers[row],), 1, "critical", text)


def _given_raw(case: Case, row: int) -> bool:
    """Whether whole numbers are taken as sizes, and not looked up."""
    return "Embedding" not in case.per_layer("kinds")


def unscaled_targets(case: Case) -> Finding | None:
    """A regression's targets are so large, small or far off that the outputs do not get there."""
    labels = case.facts.get("labels") or {}
    if (
        case.task == "classification"
        or "rms" not in labels
        or case.facts.get("loss") not in (*REGRESSES, "other")
    ):
        return None
    if case.facts.get("loss") == "logarithmic" or not (case.stuck or _broken(case)):
        return None
    rms, spread = float(labels["rms"]), float(labels["spread"])
    if (labels.get("integer") and labels.get("classes", 99) <= 2) or data_source(case):
        return None
    if rms > LARGE:
        text = f"targets lie in [{labels['min']:.3g}, {labels['max']:.3g}], of size {rms:.3g}"
    elif 0 < spread < SMALL:
        text = f"targets spread by {spread:.3g} only"
    else:
        return None
    output = case.series("output_mean")[-1]
    text += (
        f"; the outputs' mean is {output:.3g} after {case.epochs} epochs, that of the targets "
        f"{labels['mean']:.3g}"
    )
    return Finding("unscaled_targets", (), 1, "critical", text)


def wrong_output_or_loss(case: Case) -> Finding | None:
    """What the last layer can give, what the loss takes and what the labels are do not go together."""
    for check in _CHECKS:
        text = check(case)
        if text:
            rows = [] if case.output is None else [case.output]
            severity = "serious" if case.learned else "critical"
            return Finding("wrong_output_or_loss", case.names(rows), 1, severity, text)  # type: ignore[arg-type]
    return None


def _one_softmax(case: Case) -> str:
    if case.activation(case.output) == "softmax" and case.facts.get("output_units") == 1:
        return "the output is a softmax over one unit, which is 1 whatever comes in"
    ends = _known(np.concatenate([case.series("output_min"), case.series("output_max")]))
    if case.facts.get("output_units") == 1 and case.facts.get("outputs") == 1 and (ends == 1).all():
        return "the one output is exactly 1 whatever comes in, as of a softmax over one unit"
    return ""


def _one_class(case: Case) -> str:
    loss = case.facts.get("loss")
    if loss in ("cross_entropy", "sparse_cross_entropy") and case.facts.get("output_units") == 1:
        return (
            "a cross-entropy over classes is taken of one unit: with one class there is nothing to tell apart"
        )
    return ""


def _logits_for_probabilities(case: Case) -> str:
    if case.facts.get("loss") not in PROBABILITIES or case.facts.get("from_logits"):
        return ""
    low, high = np.nanmin(_known(case.series("output_min"))), np.nanmax(_known(case.series("output_max")))
    binary = case.facts.get("loss") == "binary_cross_entropy"
    if low < -1e-6 or (binary and high > 1 + 1e-6):
        return (
            f"the loss takes probabilities, and the outputs lie in [{low:.3g}, {high:.3g}]: logits, it seems"
        )
    return ""


def _probabilities_for_logits(case: Case) -> str:
    name = case.activation(case.output)
    if (
        case.facts.get("loss") in PROBABILITIES
        and case.facts.get("from_logits")
        and name in ("softmax", "sigmoid")
    ):
        return f"the loss takes logits, and the last layer already ends in {name}"
    sums, several = _known(case.series("output_sum_error")), (case.facts.get("output_units") or 0) > 1
    if (
        several
        and case.facts.get("loss") in PROBABILITIES
        and case.facts.get("from_logits")
        and sums.max() < 1e-4
    ):
        return "the loss takes logits, and the outputs already add up to 1, as behind a softmax"
    return ""


def _no_distribution(case: Case) -> str:
    """Keras's cross-entropies divide outputs by their sum, its divergence does not."""
    error = _known(case.series("output_sum_error"))
    if case.facts.get("loss") != "divergence" or (case.facts.get("output_units") or 0) < 2:
        return ""
    if not error[-1] > MATERIAL:
        return ""
    return f"the divergence is one of distributions, and the outputs add up to 1 only within {error[-1]:.3g}"


def _labels_out_of_reach(case: Case) -> str:
    labels, name = case.facts.get("labels") or {}, case.activation(case.output)
    if case.facts.get("loss") not in (*REGRESSES, "other") or "min" not in labels:
        return ""
    below = labels.get("below_minus_one", 0.0) if name == "tanh" else labels.get("below_zero", 0.0)
    above = 0.0 if name in ("relu", "softplus", "exponential") else labels.get("above_one", 0.0)
    ranges = {
        "relu": "0 and up", "softplus": "0 and up", "exponential": "0 and up", "sigmoid": "0 to 1",
        "hard_sigmoid": "0 to 1", "softmax": "0 to 1", "tanh": "-1 to 1",
    }  # fmt: skip
    if name in ranges and below + above > (MUCH if case.learned else MATERIAL):
        return (
            f"{below + above:.0%} of the targets lie outside of what {name} can give "
            f"({ranges[name]}): they lie in "
            f"[{labels['min']:.3g}, {labels['max']:.3g}]"
        )
    return ""


def _labels_unfit_for_loss(case: Case) -> str:
    labels, loss = case.facts.get("labels") or {}, case.facts.get("loss")
    if "min" not in labels or loss not in PROBABILITIES:
        return ""
    if loss == "sparse_cross_entropy":
        if not labels["integer"]:
            return "the loss takes the numbers of classes, and the labels are no whole numbers"
        units = case.facts.get("output_units") or 0
        if units and not 0 <= labels["min"] <= labels["max"] < units:
            return (
                f"labels from {labels['min']:.0f} to {labels['max']:.0f} for {units} classes, numbered from 0"
            )
    elif labels["min"] < 0 or labels["max"] > 1:
        return (
            f"the loss takes labels from 0 to 1, and they lie in [{labels['min']:.3g}, {labels['max']:.3g}]"
        )
    return ""


def _numbers_for_classes(case: Case) -> str:
    """Classes by their number, taken as sizes; where they are judged as classes, that is what was meant, and
    learning their sizes is not enough."""
    labels = case.facts.get("labels") or {}
    judged = any(name.endswith(("/accuracy", "/acc")) for name in case.m.history)
    if case.facts.get("loss") not in REGRESSES or not judged or not labels.get("integer"):
        return ""
    classes, units = labels.get("classes", 0), case.facts.get("output_units")
    if 3 <= classes <= 100 and "chance" in labels and not labels.get("one_hot") and units == 1:
        return f"classes 0 to {labels['max']:.0f} are taken as sizes by the loss, and judged by accuracy"
    return ""


def _shapes_apart(case: Case) -> str:
    labels, shape = case.facts.get("labels") or {}, case.facts.get("output_shape")
    if (
        case.facts.get("loss") not in (*REGRESSES, "binary_cross_entropy")
        or shape is None
        or case.facts.get("outputs") != 1
    ):
        return ""
    given = labels.get("shape", shape)
    units = shape[-1] if shape else 1
    last = given[-1] if len(given) == len(shape) and given else 1
    if units and units > 1 and last == 1:
        return f"labels of shape {tuple(given)} an example are compared with outputs of shape {tuple(shape)}"
    return ""


def _known(values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return known if len(known) else np.array([np.nan])


def _broken(case: Case) -> bool:
    return case.epochs > 0 and not np.isfinite(case.last_loss)


_CHECKS: tuple[Callable[[Any], str], ...] = (
    _one_softmax,
    _one_class,
    _labels_unfit_for_loss,
    _probabilities_for_logits,
    _logits_for_probabilities,
    _no_distribution,
    _shapes_apart,
    _labels_out_of_reach,
    _numbers_for_classes,
)
