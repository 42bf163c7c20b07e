"""Watches the gradients, weights and units of a network while it trains, at hardly any cost."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from . import _backend
from .config import GradientMonitorConfig
from .diagnosis import Diagnosis, diagnose, facts
from .diagnosis.measurements import Measurements, plain
from .diagnosis.speaker import Speaker
from .monitoring.aggregate import Columns, weights_now
from .monitoring.epoch import Steps, early_rows, first_non_finite, merge, read_steps, summarize
from .monitoring.gather import gather
from .monitoring.history import Table, pack, series, unpack
from .monitoring.layers import Layer, leaves, read_layers
from .monitoring.measure import EDGES
from .monitoring.plots import draw
from .monitoring.probe import Probe, of_whole_weights
from .monitoring.structure import decode, encode
from .monitoring.watch import Collector, Watch

EXAMPLES = 512
"""Training examples whose labels and inputs are looked at once, where they are not too large."""


class GradientMonitor(keras.callbacks.Callback):
    """Measures what tells a network that trains from one that does not, layer by layer.

    Gradients are those that reach the optimizer: with the penalties' part, before clipping, freed of the loss
    scale. Their norm is taken at every step; zeros, non-finite entries and updates are looked at closely at
    some steps (`sample_every`), and in the first epoch at steps 1, 2, 4, 8 and so on. A norm above 1e19 or
    below 1e-19 is exact at those steps alone. Units, inputs and losses are measured at the end of an epoch on
    a fixed batch, without dropout. Training with it gives the numbers of training without it: bit for bit
    without XLA, but for the last digit where TensorFlow folds a step's factors into a gradient nobody reads.

    Fits of the same model in a row go on with the history; another model begins a new one.

    Args:
        config: What to measure; its defaults where left out.
        probe: (x, y) or (x, y, weights) of the fixed batch; None: the first training examples.
        on_finding: Called with each finding when it appears, and in a population with its variant as well.
        **options: Fields of the config to change.

    Attributes:
        history: Arrays by name, a row an epoch from the training's first on: (epochs, layers), or
            (epochs, variants, layers) for a population, and (epochs,) or (epochs, variants) of the losses
            and the outputs. NaN: not measured.
        early: Arrays by name, a row for each early step of the first epoch; `step` counts from 1.
        layers: Names of the layers, in the model's order.
        trainable: Which of them the optimizer is to change.
        first_non_finite: `epoch` and `step` (of the training, from 1) of the first gradient that was not
            finite, its `layers`, and its `variants` in a population; None while there was none.
        not_measured: What could not be measured, and why.

    Raises:
        ValueError: At the start of `fit`, for a model that cannot be watched, with the reason.

    Example:
        >>> monitor = GradientMonitor()
        >>> model.fit(x, y, epochs=5, callbacks=[monitor])
        >>> monitor.history["gradient_norm"].shape  # (epochs, layers)
        (5, 3)
        >>> monitor.plot().savefig("gradients.png")
    """

    def __init__(
        self,
        config: GradientMonitorConfig | None = None,
        *,
        probe: tuple[Any, ...] | None = None,
        on_finding: Callable[..., None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self.config = replace(config or GradientMonitorConfig(), **options)
        self._speaker = Speaker(self.config.stop_on, on_finding, self.config.verbose)
        self._given_probe = probe
        # What is compiled for a model outlives what was measured of it.
        self._watch: Watch | None = None
        self._probe: Probe | None = None
        self._reset()

    def _reset(self) -> None:
        self._history, self._early = Table(), Table()
        self.layers: list[str] = []
        self.trainable: list[bool] = []
        self.first_non_finite: dict[str, Any] | None = None
        self.not_measured: dict[str, str] = {}
        self._steps = 0
        self._start: dict[str, np.ndarray] = {}
        self._rows: list[Layer] | None = None
        self._parts: dict[int, list[Steps]] = {}
        self._columns: dict[int, Columns] = {}
        self._probe_batch: tuple[Any, Any, Any] | None = None
        self._facts: dict[str, Any] = {}
        self._speaker.forget()
        self._collector: Collector | None = None
        self._seen: Any = None

    def forget(self) -> None:
        """Begin anew: the next fit of the same model is another training, on the same examples.

        What is compiled for the model stays, and so do the probe and what was read of the examples.
        """
        model, batch, known = self._seen, self._probe_batch, self._facts
        self._reset()
        self._seen, self._probe_batch, self._facts = model, batch, known

    @staticmethod
    def gather(states: list[tuple[tuple[dict[str, Any], dict[str, np.ndarray]], int]]) -> Any:
        """The state of a population whose variants come from others, which saw the same examples.

        Args:
            states: For each variant what `get_state` gave for its population, and its place there.
        """
        return gather(states)

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Arrays by name, a row an epoch."""
        return dict(self._history.arrays)

    @property
    def early(self) -> dict[str, np.ndarray]:
        """Arrays by name, a row an early step."""
        return dict(self._early.arrays)

    @property
    def measurements(self) -> Measurements:
        """All that the diagnosis rests on."""
        return Measurements(
            history=self.history,
            early=self.early,
            layers=self.layers,
            trainable=self.trainable,
            facts=self._facts,
            first_non_finite=self.first_non_finite,
            not_measured=self.not_measured,
        )

    @property
    def diagnosis(self) -> Any:
        """The root cause, "healthy", or "undetermined" before there is enough to say; of a population a
        list."""
        found = [one.name for one in self._diagnoses()]
        return found if self.measurements.variants else found[0]

    @property
    def findings(self) -> Any:
        """What is wrong, the root first, then by severity; a list of lists in a population."""
        found = [one.findings for one in self._diagnoses()]
        return found if self.measurements.variants else found[0]

    def report(self, variant: int | None = None) -> str:
        """What is wrong, in which layers, since when, the evidence, and what to try.

        Args:
            variant: Of a population; None: all of them, a line each.
        """
        found = self._diagnoses()
        if not self.measurements.variants:
            return found[0].report
        if variant is not None:
            return found[variant].report
        return "\n".join(f"variant {place}: {one.report.splitlines()[0]}" for place, one in enumerate(found))

    def _diagnoses(self) -> list[Diagnosis]:
        measurements = self.measurements
        if not measurements.variants:
            return [diagnose(measurements)]
        return [diagnose(measurements.variant(place)) for place in range(measurements.variants)]

    @property
    def histogram_edges(self) -> np.ndarray:
        """Lower edges of the bins of both histograms, (bins,); the last bin is open."""
        return np.array(EDGES)

    def series(self, epoch: int = -1, variant: int | None = None) -> dict[str, float]:
        """An epoch's measurements as plain numbers for a tracker.

        Args:
            epoch: Row of the history.
            variant: Of a population; None: the mean over variants.

        Returns:
            `gradient_norm/hidden_1` and so on; what was not measured is left out.
        """
        return series(self._history.arrays, self.layers, epoch, variant) if len(self._history) else {}

    def plot(self, variant: int | None = None) -> Figure:
        """Draw norms of the gradient by layer over epochs, update-to-weight ratios, and dead units.

        Args:
            variant: Of a population; None: the mean over variants.

        Returns:
            One figure.

        Raises:
            ValueError: There is no epoch yet.
        """
        return draw(self._history.arrays, self.layers, variant)

    def get_state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What is needed to go on in another process: a note that JSON can hold, and arrays."""
        structure, leaves = encode(self._probe_batch)
        note = {
            "layers": list(self.layers),
            "trainable": list(self.trainable),
            "first_non_finite": self.first_non_finite,
            "not_measured": dict(self.not_measured),
            "steps": self._steps,
            "facts": dict(self._facts),
            "probe": structure,
        }
        parts = {
            "history": self._history.arrays,
            "early": self._early.arrays,
            "start": self._start,
            "probe": leaves,
        }
        return note, {
            name: array for prefix, part in parts.items() for name, array in pack(part, prefix).items()
        }

    def set_state(self, note: dict[str, Any], arrays: dict[str, Any]) -> None:
        """Go on from what `get_state` gave, in the next fit.

        Args:
            note: The note, also when it has been through JSON.
            arrays: The arrays.
        """
        self._reset()
        self.layers, self.trainable = list(note["layers"]), list(note["trainable"])
        self.first_non_finite = note["first_non_finite"]
        self.not_measured, self._steps = dict(note["not_measured"]), note["steps"]
        self._facts = dict(note.get("facts", {}))
        self._history, self._early = Table(unpack(arrays, "history")), Table(unpack(arrays, "early"))
        self._start = unpack(arrays, "start")
        self._probe_batch = decode(note["probe"], unpack(arrays, "probe"))

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Put records on the model's steps."""
        if not self.config.enabled:
            return
        model = self.model
        reason = _backend.refusal(model)
        if reason:
            raise ValueError(f"GradientMonitor cannot watch this model: {reason}")
        self._clear_stale(model)
        if self._seen is not None and self._seen is not model:
            self._reset()
        self._seen = model
        if self._watch is None or not self._watch.suits(model):
            self._watch = Watch(
                model, self.config.sample_every, self.config.histograms, self._begin, self._read
            )
            self._probe = None
        self._watch.enter(self._new_collector(self._watch.variants))
        if self._rows is None and self._watch.begun:
            self._watch.discard()
            self._begin()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Plan the epoch's close looks."""
        self._parts = {}
        if not self._history.arrays:
            self._history.miss(epoch)
        for _, record in self._watch.pairs() if self._watch else ():
            record.begin_epoch(thin_out=not self._history.arrays)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Read the records, and measure weights and probe."""
        model = self.model  # on JAX this brings the model up to date
        if self._watch is None:
            return
        if self._rows is None:
            self._begin(late=True)
        self._read()
        row = self._summarize_steps()
        row |= weights_now(self._rows or [], self._start, self._watch.variants, self.config.histograms)
        bad = row.get("weight_non_finite", np.zeros(0))  # a model may have no layer that learns
        row |= of_whole_weights(self._measure_probe(model), bad)
        self._history.append(row | _of_fit(model, logs or {}))
        population = bool(self._watch.variants)
        if self._speaker.listens(population) and self._speaker.tell(self._diagnoses(), population):
            model.stop_training = True

    def on_train_end(self, logs: dict | None = None) -> None:
        """Leave the model as it was."""
        if self._watch is not None:
            self._watch.leave()

    def _clear_stale(self, model: keras.Model) -> None:
        function = model.train_function
        if isinstance(function, Watch):
            if not function.stale:
                raise ValueError(
                    "GradientMonitor cannot watch this model: another GradientMonitor does so already"
                )
            function.leave()

    def _new_collector(self, variants: int) -> Collector | None:
        if self._given_probe is not None:
            x, y, weights = (*self._given_probe, None, None)[:3]
            self._probe_batch = (x, y, weights)
        size = self.config.probe_size
        wanted = size and self._probe_batch is None and "probe" not in self.not_measured
        self._collector = Collector(max(size, EXAMPLES), variants, least=size) if wanted else None
        return self._collector

    def _begin(self, *, late: bool = False) -> None:
        """The model is built, and no step has been made; `late`: its first weights are not known."""
        rows = read_layers(self._seen)
        names = [row.name for row in rows]
        if self.layers and self.layers != names:
            raise ValueError(f"layers must be those of the measurements before, {self.layers}, got {names}")
        self._rows, self.layers, self.trainable = rows, names, [row.trainable for row in rows]
        self._columns = {}
        first = not self._start
        for row in rows:
            for place, variable in enumerate(row.variables):
                name, value = f"{row.name}/{place}", np.array(keras.ops.convert_to_numpy(variable))
                kept = self._start.get(name)
                if kept is None or kept.shape != value.shape:
                    self._start[name] = np.full_like(value, np.nan, "float32") if late else value
        if first and rows:
            variants = self._watch.variants if self._watch is not None else 0
            self._facts |= plain(facts.of_weights(rows, self._start, variants))

    def _read(self) -> None:
        """Take what the records hold into the epoch."""
        if self._watch is None or self._rows is None:
            return
        for place, (optimizer, record) in enumerate(self._watch.pairs()):
            readout = record.read()
            if readout is None:
                continue
            if place not in self._columns:
                key, variants = record.key, self._watch.variants
                self._columns[place] = Columns(self._rows, record.variables, key, variants)
            how = {
                "scaled": _backend.scales_loss(optimizer),
                "accumulates": _backend.accumulation(optimizer) > 1,
            }
            self._parts.setdefault(place, []).append(read_steps(readout, self._columns[place], **how))

    def _summarize_steps(self) -> dict[str, np.ndarray]:
        parts = [steps for steps in self._parts.values() if sum(len(part.norms) for part in steps)]
        if not parts:
            self.not_measured["gradients"] = "no gradient has passed the optimizer's apply in an epoch"
            return {}
        row = merge([summarize(steps) for steps in parts])
        row["skipped_steps"] = np.asarray(sum(part.skipped.sum() for steps in parts for part in steps))
        if not self._history.arrays:
            for early in early_rows(parts[0]):
                self._early.append(early)
        if self.first_non_finite is None:
            found = [first_non_finite(steps, self.layers) for steps in parts]
            first = next((one for one in found if one is not None), None)
            if first is not None:
                of_training = {"epoch": len(self._history) + 1, "step": first["step"] + self._steps}
                self.first_non_finite = first | of_training
        self._steps += max(sum(len(part.norms) for part in steps) for steps in parts)
        return row

    def _read_facts(self, examples: Any, batch_size: int) -> dict[str, Any]:
        variants, model = self._watch.variants if self._watch is not None else 0, self._seen
        found = facts.of_model(model, leaves(model))
        found |= {"steps": (self.params or {}).get("steps"), "epochs": (self.params or {}).get("epochs")}
        return found | facts.of_examples(model, examples, variants, self._probe, batch_size)

    def _measure_probe(self, model: keras.Model) -> dict[str, np.ndarray]:
        examples, batch_size = self._probe_batch, 0
        if self._collector is not None:
            examples, reason = self._collector.batch, self._collector.reason
            batch_size = self._collector.batch_size
            self._probe_batch = self._collector.first(self.config.probe_size)
            if reason:
                self.not_measured["probe"] = reason
            self._collector = None
        if (
            self._probe_batch is None
            or self._rows is None
            or self._watch is None
            or "probe" in self.not_measured
        ):
            return {}
        try:
            if self._probe is None:
                self._probe = Probe(model, self._rows, self._probe_batch, self._watch.variants)
            self._probe.take(self._probe_batch)
            found = self._probe.measure()
            if self._probe.without_loss:
                self.not_measured["loss"] = self._probe.without_loss
            if "inputs" not in self._facts:
                self._facts |= plain(self._read_facts(examples, batch_size))
            return found
        except Exception as error:  # a model that does not run on a batch alone is still trained, and watched
            self.not_measured["probe"] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
            return {}


def _of_fit(model: keras.Model, logs: dict[str, Any]) -> dict[str, np.ndarray]:
    """What `fit` reports of an epoch, by `train/name` and `val/name`, and the learning rate."""
    found = {}
    for name, value in logs.items():
        split, bare = ("val", name.removeprefix("val_")) if name.startswith("val_") else ("train", name)
        try:
            found[f"{split}/{bare}"] = np.asarray(value, "float64")
        except (TypeError, ValueError):  # somebody's own entry
            continue
    optimizer = getattr(model, "optimizer", None)
    rate = getattr(getattr(optimizer, "inner_optimizer", optimizer), "learning_rate", None)
    if rate is not None:
        found["learning_rate"] = np.asarray(keras.ops.convert_to_numpy(rate), "float64")
    return found
