"""Stops a training when going on no longer pays, and says why."""

import warnings
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from ._backend import averages_of
from .config import EarlyStoppingConfig
from .criteria import best_of, decide


class EarlyStopping(keras.callbacks.Callback):
    """Stops by patience or by one of Prechelt's criteria, and puts the best weights back.

    Keras's own `EarlyStopping` serves where patience is all that is wanted. This one knows other criteria,
    smooths, minds what is no number, says why it stopped, and goes on after a resume as if never interrupted.

    The best epoch is the one of the metric as it is, whatever the smoothing. With `restore_best` the model
    ends with the very weights whose metric was best, batch statistics included, and an optimizer that
    averages weights with the averages of that epoch. Stands behind `SwapEMAWeights`, if there is one, in the
    list of callbacks: then those are averages too.

    In a population the metric is an array, and each variant is decided on alone: the population is told which
    to `end`, and of which to `keep_best`. `fit` stops when all have ended. A population packed from another
    goes on with the same callback, whose attributes speak of the first one's variants.

    Args:
        config: The rule; its defaults where left out.
        restore_best: Keep the best weights, and put them back at the end.
        **options: Fields of the config to change.

    Attributes:
        best_epoch: From 1; 0 before the first. An integer, or (variants,).
        stopped: Whether it has stopped; a truth, or (variants,).
        stopped_epoch: From 1; 0 while it goes on. An integer, or (variants,).
        reason: Why it stopped, empty while it goes on; a list of them in a population.

    Raises:
        ValueError: An option cannot be, the metric is not in the logs, or is below 0 for a criterion that
            wants an error.

    Source: Prechelt 1998, "Early stopping - but when?", section 2.2.

    Example:
        >>> stopping = EarlyStopping(criterion="PQ", alpha=0.75)
        >>> model.fit(x, y, validation_data=validation, epochs=500, callbacks=[stopping])
        >>> stopping.reason
        'PQ: 3.1 % lost by 2.2 per mille of progress is 1.41 (limit 0.75)'
    """

    def __init__(
        self,
        config: EarlyStoppingConfig | None = None,
        *,
        restore_best: bool = True,
        **options: Any,
    ) -> None:
        super().__init__()
        self.config = replace(config or EarlyStoppingConfig(), **options)
        self.restore_best = restore_best
        self._reset()

    def _reset(self, variants: int = 0) -> None:
        count = variants or 1
        self._variants = variants
        self._values: list[Any] = []
        self._train_values: list[Any] = []
        self._best, self._stopped_at = np.zeros(count, "int64"), np.zeros(count, "int64")
        self._reasons = [""] * count
        self._weights: list[np.ndarray] = []
        self._averages: list[np.ndarray] = []
        self._evaluated: list[np.ndarray] | None = None
        self._is_first, self._measured = False, False

    @property
    def best_epoch(self) -> Any:
        """The best epoch, from 1."""
        return self._plain(self._best)

    @property
    def stopped(self) -> Any:
        """Whether it has stopped."""
        return self._plain(self._stopped_at > 0)

    @property
    def stopped_epoch(self) -> Any:
        """The epoch after which it stopped, from 1."""
        return self._plain(self._stopped_at)

    @property
    def reason(self) -> Any:
        """Why it stopped."""
        return list(self._reasons) if self._variants else self._reasons[0]

    @property
    def summary(self) -> str:
        """Why it stopped, in a line, also of a population; empty where nothing was stopped."""
        if not self._variants:
            return self._reasons[0] and f"stopped after epoch {self.stopped_epoch}: {self._reasons[0]}"
        epochs = sorted(self._stopped_at[self._stopped_at > 0].tolist())
        if not epochs:
            return ""
        span = f"epoch {epochs[0]}" if epochs[0] == epochs[-1] else f"epochs {epochs[0]} to {epochs[-1]}"
        return f"{len(epochs)} of {self._variants} variants stopped early, after {span}"

    @property
    def over(self) -> bool:
        """Whether the training has stopped: the model, or every variant."""
        return bool((self._stopped_at > 0).all())

    def get_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What is needed to go on in another process: a note that JSON can hold, and arrays."""
        note = {"variants": self._variants, "reasons": list(self._reasons), "weights": len(self._weights)}
        note |= {"averages": len(self._averages), "measured": self._measured}
        arrays = {"values": np.array(self._values), "train_values": np.array(self._train_values)}
        arrays |= {"best": self._best.copy(), "stopped_at": self._stopped_at.copy()}
        arrays |= {f"weights/{place}": array for place, array in enumerate(self._weights)}
        return note, arrays | {f"averages/{place}": array for place, array in enumerate(self._averages)}

    def set_state(self, note: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Go on from what `get_state` gave, in the next fit, with `initial_epoch` where that one ended.

        A training that is `over` is not to be fitted again.

        Args:
            note: The note, also when it has been through JSON.
            arrays: The arrays.
        """
        self._reset(note["variants"])
        self._reasons, self._measured = list(note["reasons"]), note["measured"]
        self._values, self._train_values = list(arrays["values"]), list(arrays["train_values"])
        self._best, self._stopped_at = np.array(arrays["best"]), np.array(arrays["stopped_at"])
        self._weights = [np.array(arrays[f"weights/{place}"]) for place in range(note["weights"])]
        self._averages = [np.array(arrays[f"averages/{place}"]) for place in range(note["averages"])]

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Wait for the first epoch's number, which says whether this is a new training."""
        self._is_first = True

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Begin anew, unless the training goes on where the curves end; epochs not seen have no number."""
        if self._is_first and epoch != len(self._values):
            self._reset()
            self._values, self._train_values = [np.nan] * epoch, [np.nan] * epoch
        self._is_first, self._evaluated = False, None

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Where weights are averaged, others may be evaluated than are trained."""
        if self.restore_best and averages_of(self.model.optimizer):
            self._evaluated = self.model.get_weights()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Decide."""
        if self._take(logs or {}):
            count = len(self._reasons)
            curves = [np.reshape(one, (-1, count)) for one in (self._values, self._train_values)]
            self._note_best(curves[0])
            self._decide(*curves)
        if self.over:
            self.model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        """Put the best weights back."""
        if self._values and not self._measured:
            warnings.warn(
                f"{self.config.monitor} was in no epoch's logs, nothing could be decided", stacklevel=2
            )
        if not self.restore_best or not self._weights:
            return
        self.model.set_weights(self._weights)
        for variable, value in zip(averages_of(self.model.optimizer), self._averages, strict=True):
            variable.assign(value)

    def _take(self, logs: dict[str, Any]) -> bool:
        """Lengthen the curves by an epoch; returns whether there is something to decide."""
        name, train_name = self.config.monitor, self.config.train_monitor
        # A validation metric may be left out of an epoch by `validation_freq`.
        measured = name in logs
        if not measured and (not name.startswith("val_") or any(one.startswith("val_") for one in logs)):
            raise ValueError(f"monitor must be one of {', '.join(logs)}, got {name!r}")
        if self.config.criterion == "PQ" and train_name not in logs:
            raise ValueError(f"train_monitor must be one of {', '.join(logs)}, got {train_name!r}")
        if measured and not self._variants and np.ndim(logs[name]):
            self._begin_variants(len(logs[name]))
        for metric, curve in ((name, self._values), (train_name, self._train_values)):
            before = curve[-1] if curve else self._nothing
            curve.append(self._scattered(logs[metric]) if metric in logs else before)
        self._measured |= measured
        return measured

    @property
    def _nothing(self) -> Any:
        return np.full(self._variants, np.nan) if self._variants else np.nan

    def _begin_variants(self, variants: int) -> None:
        """The metric has turned out to be an array."""
        epochs = len(self._values)
        self._reset(variants)
        self._values, self._train_values = [self._nothing] * epochs, [self._nothing] * epochs

    def _scattered(self, value: Any) -> Any:
        """A metric of the model's variants at the places that they had at first."""
        if not self._variants:
            return float(value)
        row = self._nothing
        row[self._places()] = np.asarray(value, "float64")
        return row

    def _places(self) -> Any:
        """Where the model's variants stood at first."""
        return list(getattr(self.model, "places", range(self._variants)))

    def _decide(self, values: np.ndarray, train_values: np.ndarray) -> None:
        newly, epoch = np.zeros(len(self._reasons), "bool"), len(values)
        for place in np.flatnonzero(self._stopped_at == 0):
            decision = decide(self.config, values[:, place], train_values[:, place])
            if decision.stop:
                newly[place], self._reasons[place] = True, decision.reason
        self._stopped_at[newly] = epoch
        if newly.any() and hasattr(self.model, "end"):
            self.model.end(newly[self._places()], epoch)

    def _note_best(self, curves: np.ndarray) -> None:
        best = np.array([best_of(self.config, curve) for curve in curves.T])
        # A variant that has stopped is not looked at any more.
        better = (best == len(curves)) & (self._stopped_at == 0)
        self._best = np.where(better, best, self._best)
        if not better.any() or not self.restore_best:
            return
        if self._variants and hasattr(self.model, "keep_best"):
            places = self._places()
            self.model.keep_best(better[places], curves[-1][places].astype("float32"), len(curves))
            return
        weights = self._evaluated or self.model.get_weights()
        averages = [keras.ops.convert_to_numpy(one) for one in averages_of(self.model.optimizer)]
        self._weights = self._mixed(better, weights, self._weights)
        self._averages = self._mixed(better, averages, self._averages)

    def _mixed(self, better: np.ndarray, new: list[np.ndarray], old: list[np.ndarray]) -> list[np.ndarray]:
        """New values where a variant is better; what is not a variant's own is taken new."""
        if not old or better.all():
            return [np.array(one) for one in new]
        mixed = []
        for one, before in zip(new, old, strict=True):
            own = one.ndim > 0 and len(one) == len(better)
            chosen = better.reshape(-1, *[1] * (one.ndim - 1)) if own else True
            mixed.append(np.where(chosen, one, before))
        return mixed

    def _plain(self, array: np.ndarray) -> Any:
        return array.copy() if self._variants else array[0].item()
