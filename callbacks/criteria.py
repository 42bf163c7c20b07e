"""When to stop, as functions of recorded curves.

Source: Prechelt 1998, "Early stopping - but when?", section 2.2. E is the error on the validation set,
E_opt(t) the lowest up to epoch t, and a strip is k successive epochs:

    GL(t)  = 100 (E(t) / E_opt(t) - 1)                                     stop after GL(t) > alpha
    P_k(t) = 1000 (sum of the strip's training errors / (k times their lowest) - 1)
    PQ     at the end of a strip                                           stop after GL(t) / P_k(t) > alpha
    UP_s   at the end of a strip: E has risen over s successive strips
"""

from dataclasses import dataclass

import numpy as np

from .config import EarlyStoppingConfig


@dataclass(frozen=True)
class Decision:
    """What a rule says after an epoch.

    Attributes:
        stop: Whether to stop.
        reason: Why; empty while it goes on.
    """

    stop: bool = False
    reason: str = ""


def decide(config: EarlyStoppingConfig, values: np.ndarray, train_values: np.ndarray) -> Decision:
    """Whether to stop after the last epoch of the curves.

    Args:
        config: The rule.
        values: The metric that decides, a number an epoch from the first on; NaN where there is none.
        train_values: The training metric, as long.

    Raises:
        ValueError: The formula wants an error of 0 or more.
    """
    if config.criterion is None:
        return Decision()
    epoch = len(values)
    bad = _trailing_bad(values)
    if bad > config.nan_patience:
        return Decision(True, f"{config.monitor} is no finite number at epoch {epoch}")
    if bad or epoch <= config.warm_up:
        return Decision()
    curve = smooth(values, config.smoothing)
    rule = {"patience": _patience, "GL": _gl, "PQ": _pq, "UP": _up}[config.criterion]
    reason = rule(config, curve, train_values)
    return Decision(bool(reason), reason)


def first_stop(config: EarlyStoppingConfig, values: np.ndarray, train_values: np.ndarray) -> int:
    """The epoch, from 1, after which a rule stops on whole curves; 0 if it does not."""
    for epoch in range(1, len(values) + 1):
        if decide(config, values[:epoch], train_values[:epoch]).stop:
            return epoch
    return 0


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Exponential moving average that begins with the first value, of finite values only."""
    found = np.array(values, "float64")
    mean = np.nan
    for epoch, value in enumerate(found):
        if np.isfinite(value):
            mean = value if np.isnan(mean) else weight * mean + (1 - weight) * value
            found[epoch] = mean
        else:
            found[epoch] = np.nan
    return found


def best_of(config: EarlyStoppingConfig, values: np.ndarray) -> int:
    """The epoch, from 1, of the best value, by more than `min_delta` each time; 0 if there is none."""
    best, place = np.inf, 0
    for epoch, value in enumerate(_falling(config, values), start=1):
        if np.isfinite(value) and (place == 0 or value < best - config.min_delta):
            best, place = float(value), epoch
    return place


def generalization_loss(values: np.ndarray) -> float:
    """GL after the last epoch, in percent."""
    lowest, last = float(np.nanmin(values)), float(values[-1])
    if lowest < 0:
        raise ValueError(f"monitor must be an error of 0 or more for GL and PQ, got {lowest}")
    if lowest == 0:
        return 0.0 if last == 0 else np.inf
    return 100 * (last / lowest - 1)


def progress(train_values: np.ndarray, strip: int) -> float:
    """P_k of the last strip, in thousandths."""
    last = np.asarray(train_values[-strip:], "float64")
    lowest = float(last.min())
    if lowest < 0:
        raise ValueError(f"train_monitor must be an error of 0 or more for PQ, got {lowest}")
    if lowest == 0:
        return 0.0 if last.max() == 0 else np.inf
    return 1000 * (float(last.sum()) / (len(last) * lowest) - 1)


def _patience(config: EarlyStoppingConfig, curve: np.ndarray, train_values: np.ndarray) -> str:
    best = best_of(config, curve)
    waited = len(curve) - best
    if waited < config.patience:
        return ""
    return f"{config.monitor} has found no new best for {waited} epochs since epoch {best}"


def _gl(config: EarlyStoppingConfig, curve: np.ndarray, train_values: np.ndarray) -> str:
    loss = generalization_loss(curve)
    if not loss > config.alpha:
        return ""
    lowest = int(np.nanargmin(curve)) + 1
    return (
        f"GL: {config.monitor} is {loss:.3g} % above its lowest, of epoch {lowest} (limit {config.alpha:g} %)"
    )


def _pq(config: EarlyStoppingConfig, curve: np.ndarray, train_values: np.ndarray) -> str:
    if len(curve) % config.strip:
        return ""
    loss, gained = generalization_loss(curve), progress(train_values, config.strip)
    if loss == 0:
        return ""
    quotient = np.inf if gained == 0 else loss / gained
    if not quotient > config.alpha:
        return ""
    lost = f"{loss:.3g} % lost by {gained:.3g} per mille of progress"
    return f"PQ: {lost} is {quotient:.3g} (limit {config.alpha:g})"


def _up(config: EarlyStoppingConfig, curve: np.ndarray, train_values: np.ndarray) -> str:
    strip, count = config.strip, config.successive
    if len(curve) % strip or len(curve) < (count + 1) * strip:
        return ""
    ends = _falling(config, curve)[strip - 1 :: strip][-(count + 1) :]
    if not bool(np.all(ends[1:] > ends[:-1])):
        return ""
    way = "fallen" if config.rises else "risen"
    return f"UP: {config.monitor} has {way} in {count} successive strips of {strip} epochs"


def _falling(config: EarlyStoppingConfig, values: np.ndarray) -> np.ndarray:
    return np.asarray(values, "float64") * (-1 if config.rises else 1)


def _trailing_bad(values: np.ndarray) -> int:
    finite = np.flatnonzero(np.isfinite(values))
    return len(values) - (int(finite[-1]) + 1 if len(finite) else 0)
