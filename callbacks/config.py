"""Options of the callbacks that measure and stop, as frozen dataclasses. Imports neither Keras nor NumPy."""

from dataclasses import dataclass
from typing import Literal, get_args

Criterion = Literal["patience", "GL", "PQ", "UP"]
FindingName = Literal[
    "non_finite",
    "exploding_gradients",
    "wrong_output_or_loss",
    "unscaled_inputs",
    "unscaled_targets",
    "frozen",
    "identical_units",
    "dead_units",
    "saturated_units",
    "vanishing_gradients",
    "oscillating",
    "stagnating",
    "bad_labels",
    "underfitting",
    "overfitting",
]


RISING = ("acc", "auc", "exact_match", "precision", "recall", "f1", "iou", "r2")
"""What names of metrics that are to rise have in them."""


def require(field: str, rule: str, value: object, holds: bool) -> None:
    """Raise a ValueError that names the field, the rule and the value, unless the rule holds."""
    if not holds:
        raise ValueError(f"{field} must be {rule}, got {value!r}")


@dataclass(frozen=True)
class GradientMonitorConfig:
    """What the gradient monitor measures."""

    enabled: bool = True
    """Measure. Switched off, training pays nothing and nothing is known of its gradients."""
    probe_size: int = 64
    """Examples of the fixed probe batch, taken from the first training batches. 0: no probe."""
    sample_every: int = 64
    """Steps between two close looks at gradients and updates in an epoch. Norms are taken at every step."""
    histograms: bool = False
    """Also keep histograms of the magnitudes of gradients and weights."""
    stop_on: tuple[FindingName, ...] = ()
    """Findings that end the training; of a population, once all variants have one of them."""
    verbose: bool = True
    """Print each finding once, when it appears; those of a population's variants are in the report."""

    def __post_init__(self) -> None:
        names = get_args(FindingName)
        require("stop_on", f"names out of {', '.join(names)}", self.stop_on, set(self.stop_on) <= set(names))
        require("probe_size", "0 or more", self.probe_size, self.probe_size >= 0)
        require("sample_every", "at least 1", self.sample_every, self.sample_every >= 1)


@dataclass(frozen=True)
class EarlyStoppingConfig:
    """When a training stops before its last epoch.

    Source: Prechelt 1998, "Early stopping - but when?", section 2.2.
    """

    criterion: Criterion | None = "patience"
    """patience: no new best for `patience` epochs. GL: generalization loss above alpha percent. PQ: its
    quotient with the training's progress above alpha. UP: the metric has risen in s successive strips.
    None: nothing stops it."""
    monitor: str = "val_loss"
    """Metric of the logs that decides."""
    train_monitor: str = "loss"
    """Metric of the training set, from which PQ takes the progress."""
    mode: Literal["auto", "min", "max"] = "auto"
    """Whether the metric is to fall or to rise. auto: it rises where its name has acc, auc, exact_match,
    precision, recall, f1, iou or r2 in it, and not loss. Prechelt's criteria want an error, which falls."""
    patience: int = 10
    """Epochs without a new best."""
    min_delta: float = 0.0
    """By how much a value must be better than the best one to be a new best."""
    alpha: float = 5.0
    """Threshold of GL, in percent, or of PQ."""
    strip: int = 5
    """Epochs of a training strip, the paper's k."""
    successive: int = 3
    """Successive strips of UP, the paper's s."""
    warm_up: int = 0
    """Epochs before which nothing stops. The best is kept from the first epoch on."""
    smoothing: float = 0.0
    """Weight of the past in the average that the rule looks at, in [0, 1). 0: the metric as it is."""
    nan_patience: int = 0
    """Successive epochs with a metric that is no number which are borne before stopping."""

    def __post_init__(self) -> None:
        names = (None, *get_args(Criterion))
        require("criterion", f"one of {', '.join(map(str, names))}", self.criterion, self.criterion in names)
        require("mode", "auto, min or max", self.mode, self.mode in ("auto", "min", "max"))
        falls = not self.rises or self.criterion in (None, "patience", "UP")
        wanted = f"a metric that falls with {self.criterion}, whose formula wants an error"
        require("monitor", wanted, self.monitor, falls)
        for name in ("patience", "successive"):
            require(name, "at least 1", getattr(self, name), getattr(self, name) >= 1)
        require("strip", "at least 2", self.strip, self.strip >= 2)
        require("alpha", "above 0", self.alpha, 0 < self.alpha < float("inf"))
        for name in ("min_delta", "warm_up", "nan_patience"):
            require(name, "0 or more", getattr(self, name), 0 <= getattr(self, name) < float("inf"))
        require("smoothing", "in [0, 1)", self.smoothing, 0 <= self.smoothing < 1)

    @property
    def rises(self) -> bool:
        """Whether the metric is to rise."""
        if self.mode != "auto":
            return self.mode == "max"
        name = self.monitor.lower()
        return "loss" not in name and any(part in name for part in RISING)
