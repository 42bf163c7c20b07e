"""Published rules on the same measurements, as far as these hold what they ask for.

Each gives its symptoms in its own order, in our names; where it knows no difference between names that we
tell apart, it is given credit for any of them (`CREDIT`).
"""

from collections.abc import Callable

import numpy as np

from whyfit.callbacks.diagnosis.case import Case

ACCURACIES = ("accuracy", "acc")
CREDIT: dict[str, tuple[str, ...]] = {
    "exploding": ("exploding_gradients", "non_finite"),
    "vanishing": ("vanishing_gradients",),
    "dying": ("dead_units",),
    "saturated": ("saturated_units",),
    "oscillating": ("oscillating",),
    "slow": ("stagnating", "underfitting", "bad_labels"),
    "no gradient": ("dead_units", "frozen", "vanishing_gradients", "identical_units", "wrong_output_or_loss"),
    "overfit": ("overfitting",),
    "inputs": ("unscaled_inputs",),
    "output": ("wrong_output_or_loss",),
    "rate high": ("oscillating", "exploding_gradients"),
    "rate low": ("stagnating",),
    "linear": ("underfitting",),
}


def _accuracy(case: Case) -> np.ndarray:
    for name in ACCURACIES:
        if f"train/{name}" in case.m.history:
            return case.series(f"train/{name}")
    return np.full(case.epochs, np.nan)


def _not_finite(case: Case) -> bool:
    bad_weights = np.nan_to_num(case.table("weight_non_finite")).max(initial=0) > 0
    return case.m.first_non_finite is not None or bool(bad_weights) or not np.isfinite(case.last_loss)


def autotrainer(case: Case) -> list[str]:
    """Zhang et al. 2021, "AUTOTRAINER: An automatic DNN training problem detection and repair system", with
    the thresholds of its published code."""
    found = []
    accuracy, loss = _accuracy(case), case.series("train/loss")
    low = not np.nanmax(accuracy) >= 0.6 or (case.epochs > 2 and np.nanmax(accuracy) - accuracy[0] < 0.01)
    norms = case.table("gradient_norm")[:, case.kernels]
    first, last = norms[:, 0], norms[:, -1]
    if _not_finite(case) or np.nanmax(loss) >= 1e3 or (low and np.nanmax(first / last) > 70):
        found.append("exploding")
    if low and ((first / last < 1e-3) & (first < 1e-4)).any():
        found.append("vanishing")
    rectified = any(case.activation(row) in ("relu", "relu6") for row in case.hidden)
    if low and rectified and np.nanmax(case.table("gradient_zeros")[:, case.kernels]) >= 0.7:
        found.append("dying")
    if case.epochs > 1 and np.mean(np.abs(np.diff(accuracy)) >= 0.03) >= 0.2 and _turns(accuracy):
        found.append("oscillating")
    gain = np.nanmax(accuracy) - accuracy[0] if np.isfinite(accuracy).any() else loss[0] - np.nanmin(loss)
    if gain < 0.01:
        found.append("slow")
    return found


def _turns(accuracy: np.ndarray) -> bool:
    """Whether it falls by 0.03 at least once in five epochs: its swings are about maxima."""
    return bool(np.mean(np.diff(accuracy) <= -0.03) >= 0.2)


def sagemaker(case: Case) -> list[str]:
    """Amazon SageMaker Debugger's built-in rules at their defaults."""
    found = []
    if _not_finite(case):
        found.append("exploding")
    if (case.rms_gradient[:, case.kernels] < 1e-7).any():
        found.append("vanishing")
    if np.nanmax(np.nan_to_num(case.table("dead_units")[:, case.hidden]), initial=0) > 0.5:
        found.append("dying")
    if np.nanmax(np.nan_to_num(case.table("saturated_units")[:, case.hidden]), initial=0) > 0.5:
        found.append("saturated")
    train, val = case.series("train/loss"), case.series("val/loss")
    if ((val - train) / np.abs(train) > 0.1).any():
        found.append("overfit")
    if case.epochs > 1 and not train[-1] < 0.9 * train[0]:
        found.append("slow")
    return found


def deeplocalize(case: Case) -> list[str]:
    """Wardat et al. 2021, "DeepLocalize": numerical errors, gradients that are zero, a loss that stays."""
    found = []
    if _not_finite(case):
        found.append("exploding")
    if (np.nan_to_num(case.table("gradient_norm_max")[:, case.kernels], nan=1.0) == 0).any():
        found.append("no gradient")
    loss = case.series("train/loss")
    if case.epochs > 1 and not np.nanmin(loss[1:]) < loss[0] * 0.99:
        found.append("slow")
    return found


def umlaut(case: Case) -> list[str]:
    """Schoop et al. 2021, "UMLAUT: Debugging deep learning programs using program structure and model
    behavior"."""
    found = []
    inputs = case.facts.get("inputs") or {}
    if not np.isfinite(case.last_loss) or inputs.get("non_finite", 0) > 0:
        found.append("exploding")
    if inputs.get("float") and (inputs.get("max", 0) > 1 or inputs.get("min", 0) < -1):
        found.append("inputs")
    classes = case.facts.get("loss") in ("sparse_cross_entropy", "cross_entropy")
    if classes and not case.facts.get("from_logits") and case.activation(case.output) != "softmax":
        found.append("output")
    if len(case.kernels) > 1 and not case.facts.get("nonlinear"):
        found.append("linear")
    rate = case.series("learning_rate")[-1]
    if rate > 0.01:
        found.append("rate high")
    if rate < 1e-7:
        found.append("rate low")
    val = case.series("val/loss")
    if (
        case.epochs > 2
        and val[-1] > np.nanmin(val)
        and case.series("train/loss")[-1] <= np.nanmin(case.series("train/loss"))
    ):
        found.append("overfit")
    return found


TOOLS: dict[str, Callable[[Case], list[str]]] = {
    "AUTOTRAINER": autotrainer,
    "SageMaker Debugger": sagemaker,
    "DeepLocalize": deeplocalize,
    "UMLAUT": umlaut,
}
