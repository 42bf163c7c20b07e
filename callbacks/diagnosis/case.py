"""One training as the rules see it: how much it has learned, and its measurements by layer."""

from functools import cached_property
from typing import Any

import numpy as np

from .losses_known import CLASSIFIES, REGRESSES
from .measurements import Measurements

GOOD = 0.5
"""Share of the way from the best constant to a perfect prediction from which on a network has learned."""
AS_GOOD = 0.8
"""Share of what nearest neighbours and ridge regression reach that counts as learned, too: noise is no
fault."""
CHANCE = 0.1
"""Skill below which a network is no better than a constant, given that it is taken from some hundred
examples."""
UNKNOWN_FALL, UNKNOWN_STILL = 0.1, 0.01
"""Fall of a loss of which nothing else is known, by its first value, that is learning; and that is none."""
VANISHED = 1e-3
"""Root mean square of a layer's gradient by that of the layer with the largest. Networks that train keep it
within one or two orders of magnitude (Glorot and Bengio 2010, figure 7; He et al. 2015 derive equal
sizes)."""
FAR = 5.0
"""Distance from the start by the norm at the start that steps of a fitting length do not go."""
OVERSHOOT = 0.2
"""Update-to-weight ratio of the first steps at which five of them replace the weights."""
LONGEST_WARM_UP = 0.5
"""Share of the planned epochs from which on a rate that still rises is too small, and not warming up."""
PENALIZED = 0.3
"""Share of the penalties in the loss that is learned more than the task is."""
CRUSHED = 0.3
"""Size that a penalty has left of the weights, once it is small itself; nothing else makes them so small."""
SMALL_GAIN = 0.5
"""What a layer's first weights multiply the size of its inputs by, below which they are small: glorot_uniform
has about 1."""
FIRST_LOOKS = 4
NEARLY_ALL = 0.85
"""Share of a layer's outputs at the ends of their function that learning alone does not bring about."""
_ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")


class Case:
    """Measurements of one training with what follows from them.

    Skill is 1 for a perfect prediction, 0 for the best prediction that does not look at the inputs, and below
    0 for a worse one (Murphy 1988, "Skill scores based on the mean square error and their relationships to
    the correlation coefficient"). It means the same for all losses, scales and numbers of classes.

    Args:
        measurements: Of one training, not of a population.
    """

    def __init__(self, measurements: Measurements) -> None:
        self.m = measurements
        self.facts = measurements.facts
        self.epochs = measurements.epochs
        self.layers = measurements.layers

    # Tables

    def table(self, name: str) -> np.ndarray:
        """(epochs, layers); NaN where it was not measured."""
        found = self.m.history.get(name)
        return np.full((self.epochs, len(self.layers)), np.nan) if found is None else found

    def series(self, name: str) -> np.ndarray:
        """(epochs,); NaN where it was not measured."""
        found = self.m.history.get(name)
        return np.full(self.epochs, np.nan) if found is None or found.ndim != 1 else found

    def last(self, name: str) -> np.ndarray:
        """(layers,) of the last epoch."""
        return self.table(name)[-1]

    def at_start(self, name: str) -> np.ndarray:
        """(layers,) of the first step that was looked at, before it changed anything."""
        found = self.m.early.get(name)
        return np.full(len(self.layers), np.nan) if found is None or not len(found) else found[0]

    def per_layer(self, name: str) -> list[Any]:
        """A fact of each layer."""
        return list(self.facts.get(name) or [None] * len(self.layers))

    # Layers

    @cached_property
    def output(self) -> int | None:
        """The row that the outputs come from."""
        return self.facts.get("output_row")

    @cached_property
    def hidden(self) -> list[int]:
        """Rows before the output that learn and have kernels."""
        shapes = self.per_layer("kernel_shapes")
        last = len(self.layers) - 1 if self.output is None else self.output
        return [
            row for row in range(len(self.layers))
            if row != last and self.m.trainable[row] and shapes[row] is not None and len(shapes[row]) > 1
        ]  # fmt: skip

    @cached_property
    def kernels(self) -> list[int]:
        """Rows that learn and have kernels, the output among them."""
        shapes = self.per_layer("kernel_shapes")
        return [
            row for row in range(len(self.layers))
            if self.m.trainable[row] and shapes[row] is not None and len(shapes[row]) > 1
        ]  # fmt: skip

    def activation(self, row: int | None) -> str | None:
        """Name of the function that a layer ends in."""
        names = self.per_layer("activations")
        return names[row] if row is not None and row < len(names) else None

    def names(self, rows: Any) -> tuple[str, ...]:
        """Names of rows."""
        return tuple(self.layers[row] for row in rows)

    @cached_property
    def rms_gradient(self) -> np.ndarray:
        """(epochs, layers): root mean square of a layer's gradient entries."""
        sizes = np.array([float(size or 1) for size in self.per_layer("parameters")])
        return self.table("gradient_norm") / np.sqrt(sizes)

    @cached_property
    def vanishes_at_start(self) -> bool:
        """Whether the gradient of the first step is tiny, and not zero, in some layer: nothing has died
        yet."""
        sizes = np.array([float(size or 1) for size in self.per_layer("parameters")])
        rms = (self.at_start("gradient_norm") / np.sqrt(sizes))[self.kernels]
        known = rms[np.isfinite(rms)]
        return bool(len(known) > 2 and (known > 0).all() and known.min() < VANISHED * known.max())

    @cached_property
    def usual_norms(self) -> np.ndarray:
        """(layers,): the norm of the weights at the start, or that which keeps the size of a layer's inputs,
        the root of the number of units, where that is larger."""
        start = np.array([float(norm or 0.0) for norm in self.per_layer("start_norms")])
        units = np.array([float(one or 1) for one in self.per_layer("units")])
        return np.maximum(start, np.sqrt(units))

    @cached_property
    def moved(self) -> np.ndarray:
        """(layers,): distance from the start by the usual norm of the weights, of the last epoch."""
        return self.last("distance") / self.usual_norms

    @cached_property
    def overshot(self) -> np.ndarray:
        """(layers,): whether steps replace a layer's weights: within a few, or by the distance gone in
        all."""
        return (np.nan_to_num(self.moved) > FAR) | self.hasty

    @cached_property
    def hasty(self) -> np.ndarray:
        """(layers,): whether the first steps already replace a layer's weights."""
        early, norms = self.m.early.get("update_ratio"), self.m.early.get("weight_norm")
        if early is None or norms is None or not len(early):
            return np.zeros(len(self.layers), "bool")
        # By the usual norm, since small weights are to be replaced: embeddings, branches that begin at zero.
        gains = np.array([float("nan" if gain is None else gain) for gain in self.per_layer("start_gains")])
        usual = np.where(np.nan_to_num(gains) > SMALL_GAIN, norms, self.usual_norms)
        with np.errstate(all="ignore"):
            steps = np.nan_to_num(early * np.where(norms > 0, norms, 0.0) / usual, posinf=1e30)
        return np.mean(steps[:FIRST_LOOKS], axis=0) > OVERSHOOT

    @cached_property
    def overshoots(self) -> bool:
        """Whether steps replace the weights of any layer."""
        return bool(self.kernels) and bool(self.overshot[self.kernels].any())

    def thrown(self, row: int) -> bool:
        """Whether steps have replaced the weights of a layer, or of one before it."""
        return any(self.overshot[before] for before in self.kernels if before <= row)

    @cached_property
    def saturated_from_start(self) -> list[int]:
        """Hidden rows of which nearly all outputs lie at the ends of their function all the time, by no
        steps."""
        share = np.nan_to_num(self.table("saturated_share"))
        return [row for row in self.hidden if share[:, row].min() >= NEARLY_ALL and not self.thrown(row)]

    # Learning

    @cached_property
    def task(self) -> str:
        """classification, regression or unknown."""
        loss, labels = self.facts.get("loss"), self.facts.get("labels") or {}
        if loss in CLASSIFIES or labels.get("one_hot"):
            return "classification"
        return "regression" if loss in REGRESSES else "unknown"

    @cached_property
    def penalty(self) -> np.ndarray:
        """(epochs,): the penalties' part of the loss."""
        return np.nan_to_num(self.series("penalty_loss"), posinf=0.0, neginf=0.0)

    @cached_property
    def held_by_penalty(self) -> str:
        """What a penalty does to the network, where it is most of what is learned; or else nothing."""
        loss = self.series("loss")
        if not len(loss):
            return ""
        share = np.nan_to_num(self.penalty / np.where(loss > 0, loss, np.nan))
        if share[-1] > PENALIZED:
            return f"the penalty is {share[-1]:.0%} of the loss"
        if share.max() < PENALIZED or not self.shrunk < CRUSHED:
            return ""
        left = f"{self.shrunk:.0%} of their size"
        return f"the penalty was {share.max():.0%} of the loss, and has drawn the weights to {left}"

    @property
    def crushed(self) -> bool:
        """Whether a penalty has left next to nothing of the weights."""
        return bool(self.held_by_penalty) and self.shrunk < CRUSHED

    @cached_property
    def shrunk(self) -> float:
        """What the last weights have of their usual size, in the median over layers; NaN where unknown."""
        sizes = (self.last("weight_norm") / self.usual_norms)[self.kernels] if self.kernels else np.zeros(0)
        return float(np.nanmedian(sizes)) if np.isfinite(sizes).any() else float("nan")

    @cached_property
    def train_loss(self) -> np.ndarray:
        """(epochs,): mean over an epoch's batches, without penalties."""
        return self.series("train/loss") - self.penalty

    @cached_property
    def val_loss(self) -> np.ndarray:
        """(epochs,): without penalties."""
        return self.series("val/loss") - self.penalty

    @cached_property
    def baseline(self) -> np.ndarray:
        """(epochs,): the loss of the best constant; or, where that is not known, of other examples'
        outputs."""
        known = self.facts.get("baseline_loss")
        if known is not None and np.isfinite(known):
            return np.full(self.epochs, known)
        return self.series("shuffled_loss")

    @cached_property
    def loss_skill(self) -> np.ndarray:
        """(epochs,): by the training's loss, or the probe's in evaluation, where that is better."""
        probed = self._skill(self.series("task_loss"))
        # What a step of somebody's own reports may be another loss than that which is compiled.
        return probed if self.facts.get("own_step") else np.fmax(self._skill(self.train_loss), probed)

    @cached_property
    def val_loss_skill(self) -> np.ndarray:
        """(epochs,): by the validation's loss."""
        return self._skill(self.val_loss)

    @cached_property
    def accuracy_skill(self) -> np.ndarray:
        """(epochs,): share of the errors of the most frequent class that are avoided."""
        return self._accuracy("train")

    @cached_property
    def val_accuracy_skill(self) -> np.ndarray:
        """(epochs,): the same on validation examples."""
        return self._accuracy("val")

    @cached_property
    def skill(self) -> np.ndarray:
        """(epochs,): the better of both, on training examples."""
        return np.fmax(self.loss_skill, self.accuracy_skill)

    @cached_property
    def val_skill(self) -> np.ndarray:
        """(epochs,): the better of both, on validation examples; NaN without."""
        return np.fmax(self.val_loss_skill, self.val_accuracy_skill)

    @cached_property
    def reached(self) -> float:
        """The skill of the last epochs."""
        return _recent(self.skill)

    @cached_property
    def val_reached(self) -> float:
        """The skill of the last epochs on validation examples."""
        return _recent(self.val_skill)

    @cached_property
    def trained(self) -> float:
        """The skill of the last epochs by the training loss alone."""
        return _recent(self._skill(self.train_loss))

    @cached_property
    def evaluated(self) -> float:
        """The skill of the last epochs on the probe's training examples in evaluation, by the loss."""
        return _recent(self._skill(self.series("task_loss")))

    @cached_property
    def reference(self) -> float:
        """The skill of nearest neighbours or ridge regression; NaN where not known."""
        known = self.facts.get("reference_skill")
        return float("nan") if known is None else float(known)

    @cached_property
    def learned(self) -> bool:
        """Whether the training examples have been learned as well as can be asked."""
        if not np.isfinite(self.last_loss):
            return False
        if self.unknown:
            return self._fallen > UNKNOWN_FALL
        attained = self.reference > 2 * CHANCE and self.reached >= AS_GOOD * self.reference
        return bool(self.reached >= GOOD or attained)

    @cached_property
    def unknown(self) -> bool:
        """Whether there is no telling what a constant prediction would have: a loss of somebody's own."""
        return not np.isfinite(self.skill).any()

    @property
    def _fallen(self) -> float:
        """By how much the loss has fallen, by its first value."""
        loss = self.series("train/loss") if "train/loss" in self.m.history else self.series("loss")
        known = loss[np.isfinite(loss)]
        return float((known[0] - known[-1]) / max(abs(known[0]), 1e-30)) if len(known) > 1 else 0.0

    @cached_property
    def last_loss(self) -> float:
        """The last training loss that `fit` gave, or else the probe's."""
        reported = self.series("train/loss")
        return float(reported[-1] if not np.isnan(reported).all() else self.series("loss")[-1])

    @cached_property
    def gain(self) -> float:
        """How much skill the last third of the epochs brought over the third before."""
        return _gain(self.skill)

    @property
    def gain_before(self) -> float:
        """The same of the second third over the first."""
        return _gain(self.skill[: -max(len(self.skill) // 3, 1)], max(len(self.skill) // 3, 1))

    @cached_property
    def improving(self) -> bool:
        """Whether it is still learning at a pace that gets somewhere: half of what is missing, in as long
        again."""
        if self.epochs < 3 or not np.isfinite(self.gain):
            return False
        if self.val_reached < 0 and self.reached < GOOD:  # it learns by heart, if anything
            return False
        third = max(self.epochs // 3, 1)
        pace = self.gain / third
        return bool(self.gain > 0.02 and pace * self.epochs > 0.5 * (GOOD - self.reached))

    @cached_property
    def stuck(self) -> bool:
        """Whether it has had its time, and has learned too little."""
        if self.learned or self.epochs < 2:
            return False
        if self.unknown and np.isfinite(self.last_loss):
            return self.epochs >= 4 and abs(self._fallen) < UNKNOWN_STILL
        if self.epochs < 4:
            return bool(not self.reached >= CHANCE)
        return not (self.improving and self.reached > CHANCE / 2)

    @cached_property
    def warming_up(self) -> bool:
        """Whether the rate still rises, and may: a warm-up takes a small part of a training."""
        rate, planned = self.series("learning_rate"), self.facts.get("epochs") or np.inf
        rises = len(rate) > 1 and rate[-1] > 1.01 * rate[-2]
        return bool(rises and self.epochs < LONGEST_WARM_UP * planned)

    @cached_property
    def at_chance(self) -> bool:
        """Whether it is no better than a constant."""
        return not self.reached >= CHANCE

    @property
    def in_words(self) -> str:
        """How much has been learned, in a sentence."""
        if not self.epochs:
            return "Nothing has been trained."
        if not np.isfinite(self.reached):
            return f"After {self.epochs} epochs."
        val = f", on validation examples {self.val_reached:.2f}" if np.isfinite(self.val_reached) else ""
        pace = ", and rising" if self.improving else ""
        return f"Skill after {self.epochs} epochs {self.reached:.2f}{val} (0: a constant, 1: perfect){pace}."

    def _skill(self, loss: np.ndarray) -> np.ndarray:
        perfect = float(self.facts.get("perfect_loss") or 0.0)
        span = self.baseline - perfect
        with np.errstate(all="ignore"):
            return np.where(span > 0, (self.baseline - loss) / span, np.nan)

    def _accuracy(self, split: str) -> np.ndarray:
        chance = (self.facts.get("labels") or {}).get("chance")
        names = [name for name in _ACCURACIES if f"{split}/{name}" in self.m.history]
        if self.task != "classification" or chance is None or chance >= 1 or not names:
            return np.full(self.epochs, np.nan)
        if self.facts.get("outputs", 1) > 1:
            return np.full(self.epochs, np.nan)
        return (self.series(f"{split}/{names[0]}") - chance) / (1 - chance)


def _recent(values: np.ndarray) -> float:
    """Median of the last epochs, a quarter of them and at most five; NaN where the last is no number."""
    if not len(values) or not np.isfinite(values[-1]):
        return float("nan")
    count = int(np.clip(len(values) // 4, 1, 5))
    return float(np.nanmedian(values[-count:]))


def _gain(values: np.ndarray, third: int = 0) -> float:
    if len(values) < (2 * third or 3):
        return float("nan")
    third = third or max(len(values) // 3, 1)
    now, before = values[-third:], values[-2 * third : -third]
    if not np.isfinite(now).any() or not np.isfinite(before).any():
        return float("nan")
    return float(np.nanmean(now) - np.nanmean(before))
