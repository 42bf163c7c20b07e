"""K variants of a dense network trained as one Keras model, so that sixteen seeds cost about what one does.

Weights have K for their first axis, and a layer is one product of K matrices. The loss that is minimized is
the sum over variants of their own losses, none of which depends on another's weights, so that each variant's
gradient is its own. What it costs is measured in `benchmarks/population.py`.

A recurrent network has no population yet. Its cells would vectorise in the same way, but Keras's recurrent
layers take kernels of two axes, so that all three cells would have to be written anew.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._backend import (
    cast_as_stock,
    in_full_registers,
    keeps_order,
    logits_again,
    rows_of,
    swap_axes,
)
from ..config import Variant, require
from ..mlp import build_loss, build_mlp
from .metrics import VariantMean, build_metrics, update_metrics
from .network import StackedNetwork
from .optimizer import read_settings, stack_optimizer
from .structure import Structure, read_structure
from .weights import give_weights, take


class Population(keras.Model):
    """K dense networks of one shape, trained by one `fit`, each as if it were alone.

    Each variant has its own weights, seed, initializer, regularization and rates (see `Variant`). What
    happens to one, even NaN, never reaches another. Its history is the same whatever K is and wherever it
    stands: bit for bit on a CPU without XLA, with XLA to rounding.

    Metrics are arrays of shape (K,), so `history["val_loss"]` is a list with an array an epoch. The order of
    examples is shared if `fit` is given (batch, *input_shape), and each variant's own if it is given
    (K, batch, *input_shape), as by `ShuffledBatches`. `callbacks.EarlyStopping` ends variants one by one.

    All its state is in `variables` and `optimizer.variables`. Gradients pass `optimizer.apply`, a list of
    arrays (K, n, m) in the order of `trainable_variables`: K norms are `ops.norm(gradient, axis=(1, 2))`.

    Args:
        variants: At least two. Layers, units, activation and head must be the same; batch normalization may
            be there or not, in one place.
        input_shape: Shape of one example, such as (28, 28) or (2,).
        task: "classification", "binary" or "regression".
        classes: Classes of a classification.
        mean, variance: Of the raw inputs, as in `build_mlp`.
        structure: What the step is compiled for. None: what the variants need.
        name: The model's name.

    Attributes:
        variants: What the variants are.
        places: Where each stood in the population that this one was packed from.
        active: Which variants still train, booleans (K, 1, 1).
        step: Training steps done, int32; masks of dropout derive from it.
        best_loss, best_epoch: Lowest loss that `keep_best` was told of, and its epoch from 1; (K,).
        ended_epoch: The epoch, from 1, after which a variant was ended, 0 while it trains; (K,).

    Raises:
        ValueError: Variants differ in what must be the same, or an argument cannot be.

    Example:
        A program of its own: four strengths of L2, each with four seeds, on points in a plane.

        >>> import keras, numpy as np
        >>> from whyfit.callbacks import EarlyStopping
        >>> from whyfit.models import MLPConfig, Population, ShuffledBatches, Variant
        >>> points = np.random.default_rng(0).normal(size=(1200, 2)).astype("float32")
        >>> inside = (np.square(points).sum(axis=1) < 1).astype("int32")
        >>> variants = [
        ...     Variant(MLPConfig(units=(32, 32), l2=l2), seed=seed, learning_rate=3e-3)
        ...     for l2 in (0, 1e-4, 1e-3, 1e-2)
        ...     for seed in range(4)
        ... ]
        >>> population = Population(variants, input_shape=(2,), task="classification", classes=2)
        >>> population.compile(keras.optimizers.Adam(), jit_compile=True, steps_per_execution=16)
        >>> batches = ShuffledBatches(points[:1000], inside[:1000], 32, [v.seed for v in variants])
        >>> history = population.fit(
        ...     batches.dataset,
        ...     validation_data=(points[1000:], inside[1000:]),
        ...     epochs=20,
        ...     shuffle=False,
        ...     callbacks=[batches, EarlyStopping(patience=5)],
        ...     verbose=0,
        ... )
        >>> np.array(history.history["val_accuracy"]).shape[1]
        16
        >>> model = population.variant(3, best=True)  # a stock Keras model
        >>> model.predict(points[:5], verbose=0).shape
        (5, 2)
    """

    def __init__(
        self,
        variants: Sequence[Variant],
        *,
        input_shape: tuple[int, ...],
        task: str,
        classes: int = 2,
        mean: Any = 0.0,
        variance: Any = 1.0,
        structure: Structure | None = None,
        name: str = "population",
    ) -> None:
        super().__init__(name=name)
        self.structure = structure or read_structure(variants)
        self.variants = tuple(variants)
        self.places = tuple(range(len(variants)))
        self._problem: dict[str, Any] = {"input_shape": tuple(input_shape), "task": task, "classes": classes}
        self._problem |= {"mean": mean, "variance": variance}
        self._compiled_with: dict[str, Any] = {}
        self._exact = False
        self.network = StackedNetwork(variants, self.structure, self._build_stock(0))
        self._add_state(len(variants))
        self.built = True
        self._loss_metric = VariantMean("loss", len(variants))
        self._scores = build_metrics(task, len(variants))
        self._loss_of = build_loss(variants[0].config, task)

    def compile(
        self,
        optimizer: Any = "adam",
        *,
        jit_compile: bool | str = "auto",
        steps_per_execution: int = 1,
        run_eagerly: bool = False,
        parts: tuple[bool, bool, bool, bool] | None = None,
    ) -> None:
        """Make it ready for `fit`, with the task's loss and metrics for each variant.

        Args:
            optimizer: A stock SGD, Adam, AdamW, Nadam, RMSprop or Adagrad, or its name. What a `Variant`
                leaves out is taken from it. Its schedule, if it has one, is a factor for all variants.
            jit_compile: As in Keras; "auto" compiles with XLA.
            steps_per_execution, run_eagerly: As in Keras.
            parts: Options of the optimizer that the step is compiled for. None: what the variants need.

        Raises:
            ValueError: The optimizer, or an option of it, has no form for a population.
        """
        optimizer = keras.optimizers.get(optimizer)
        options = {"steps_per_execution": steps_per_execution, "run_eagerly": run_eagerly}
        self._compiled_with = {"optimizer": optimizer, "jit_compile": jit_compile, **options}
        # XLA is faster whatever the sizes.
        jit_compile = True if jit_compile == "auto" else jit_compile
        super().compile(optimizer, jit_compile=jit_compile, **options)
        self._exact = keeps_order(self.jit_compile)
        settings = read_settings(optimizer, self.variants)
        hidden = [layer.kernel for layer in self.network.dense[:-1]]
        self._parts = parts or settings.parts
        self.optimizer = stack_optimizer(optimizer, settings, self._parts, hidden, self._exact)
        self.optimizer.build(self.trainable_variables)

    def call(self, x: Any, training: bool = False) -> Any:
        """Outputs of all variants.

        Args:
            x: Raw examples, (batch, *input_shape) for all, or (K, batch, *input_shape), each its own.
            training: Drop, and normalize by the batch.

        Returns:
            (batch, K, outputs).
        """
        size = math.prod(self._problem["input_shape"])
        rows = ops.reshape(x, (-1, ops.shape(x)[1], size) if self._is_own(x) else (1, -1, size))
        how = {"training": training, "exact": self._exact}
        return swap_axes(self.network(rows, active=self.active, **how))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The sum over variants of what each minimizes: its mean loss and its penalties.

        Args:
            x: The input, whose shape says whether targets are common to all or each variant's own.
            y: Targets, (batch,) or (batch, 1), or (K, batch) or (K, batch, 1).
            y_pred: What `call` gave.
            sample_weight: Not supported.
            training: Of no effect.
        """
        require("sample_weight", "left out", sample_weight, sample_weight is None)
        outputs = swap_axes(y_pred)
        losses = ops.mean(self._example_losses(self._targets(x, y, outputs), outputs), axis=1)
        losses = ops.add(losses, self._penalties()) if self.structure.l1 or self.structure.l2 else losses
        self._loss_metric.update_state(losses, ops.shape(outputs)[1])
        return ops.sum(losses)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Take the batch into the metrics; returns them by name, each (K,)."""
        outputs = swap_axes(y_pred)
        turn = 0.5 if self.network.output_activation in ("sigmoid", "softmax") else 0.0
        update_metrics(self._scores, self._problem["task"], self._targets(x, y, outputs), outputs, turn)
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[keras.Metric]:
        """The loss and the task's metrics, a result for each variant."""
        return [self._loss_metric, *self._scores]

    def variant(self, place: int, *, best: bool = False) -> keras.Model:
        """One variant as the stock model that `build_mlp` builds, with its weights and statistics.

        Args:
            place: Where it stands, in [0, K).
            best: With the weights that `keep_best` kept, instead of the newest ones.

        Returns:
            An uncompiled stock model.
        """
        model = self._build_stock(place)
        learned = zip(self.network.learned(), self._best, strict=True)
        stacks = {(layer, name): kept if best else weight for (layer, name, weight), kept in learned}
        give_weights(model, stacks, place)
        return model

    def keep_best(self, better: np.ndarray, losses: np.ndarray, epoch: int) -> None:
        """Keep the newest weights of some variants as their best.

        Args:
            better: Which variants, K booleans.
            losses: Their losses, (K,); others are not read.
            epoch: The epoch, from 1.
        """
        chosen = np.reshape(better, (-1, 1, 1))
        for (_, _, weight), kept in zip(self.network.learned(), self._best, strict=True):
            kept.assign(ops.where(chosen, weight.value, kept.value))
        self.best_loss.assign(ops.where(better, losses, self.best_loss.value))
        self.best_epoch.assign(ops.where(better, epoch, self.best_epoch.value))

    def swap_best(self) -> None:
        """Exchange the newest weights and the best ones; a second time brings them back."""
        for (_, _, weight), kept in zip(self.network.learned(), self._best, strict=True):
            newest, best = (np.array(ops.convert_to_numpy(one.value)) for one in (weight, kept))
            weight.assign(best)
            kept.assign(newest)

    def end(self, ended: np.ndarray, epoch: int = -1) -> None:
        """End the training of some variants: no weight of theirs changes any more.

        Args:
            ended: Which variants, K booleans; those that have ended stay so.
            epoch: The epoch it was, from 1.
        """
        newly = np.logical_and(ended, self.is_active())
        active = np.logical_and(self.is_active(), ~newly).reshape(-1, 1, 1)
        self.active.assign(active)
        if self._compiled_with:
            self.optimizer.active.assign(active)
        self.ended_epoch.assign(ops.where(newly, epoch, self.ended_epoch.value))

    def is_active(self) -> np.ndarray:
        """Which variants still train, K booleans."""
        return np.ravel(ops.convert_to_numpy(self.active))

    def pack(self, keep: Sequence[int] | None = None) -> "Population":
        """A smaller population of some variants, which goes on where they are.

        Args:
            keep: Where they stand; None: those that still train, and one that has ended where that is one.

        Returns:
            A new population, compiled if this one is, in the same state: its history is the one its
            variants would have had here. `places` says where they came from.
        """
        if keep is None:
            order = np.argsort(~self.is_active(), kind="stable")
            keep = sorted(order[: max(2, int(self.is_active().sum()))])
        places = [int(place) for place in keep]
        variants = [self.variants[place] for place in places]
        packed = Population(variants, structure=self.structure, name=self.name, **self._problem)
        packed.places = tuple(self.places[place] for place in places)
        pairs = list(zip(self.variables, packed.variables, strict=True))
        if self._compiled_with:
            packed.compile(**self._compiled_with, parts=self._parts)
            pairs += zip(self.optimizer.variables, packed.optimizer.variables, strict=True)
        for source, target in pairs:
            take(source, target, places)
        return packed

    def reset(self, variants: Sequence[Variant]) -> None:
        """Begin anew with other variants. Nothing is compiled again where only numbers differ.

        Args:
            variants: As many, of the same layers, units, activation and head. Those with batch
                normalization stand where they stood.

        Raises:
            ValueError: They cannot be trained by this population.
        """
        structure = read_structure([*variants, self.variants[0]])
        require("variants", f"{len(self.variants)}", len(variants), len(variants) == len(self.variants))
        before, after = (
            [variant.config.batch_normalization for variant in group] for group in (self.variants, variants)
        )
        require("batch_normalization", f"{before} as before", after, after == before)
        joined, self.variants = self.structure.joined(structure), tuple(variants)
        self.places = tuple(range(len(variants)))
        self.network.set_values(variants)
        self._set_state()
        settings = read_settings(self._compiled_with["optimizer"], variants)
        needed = [new and not old for new, old in zip(settings.parts, self._parts, strict=True)]
        if any(needed) or joined != self.structure:
            self.structure = self.network.structure = joined
            self.compile(**self._compiled_with)
        self.optimizer.restart(settings)

    def _build_stock(self, place: int) -> keras.Model:
        variant = self.variants[place]
        return build_mlp(variant.config, seed=variant.seed, **self._problem)

    def _add_state(self, count: int) -> None:
        def add(name: str, shape: tuple[int, ...], dtype: str | None = None) -> Any:
            return self.add_weight(shape=shape, initializer="zeros", dtype=dtype, trainable=False, name=name)

        self.active = add("active", (count, 1, 1), "bool")
        self._l1, self._half_l2 = add("l1", (count,)), add("half_l2", (count,))
        self.best_loss = add("best_loss", (count,))
        self.best_epoch = add("best_epoch", (count,), "int32")
        self.ended_epoch = add("ended_epoch", (count,), "int32")
        self._best = [
            add(f"best_{layer}_{name}", tuple(weight.shape)) for layer, name, weight in self.network.learned()
        ]
        self._set_state()

    def _set_state(self) -> None:
        configs = [variant.config for variant in self.variants]
        count = len(configs)
        self.active.assign(np.ones((count, 1, 1), "bool"))
        self._l1.assign(cast_as_stock([config.l1 for config in configs]))
        # Keras's L2 has no half in it; the lessons' lambda does.
        self._half_l2.assign(cast_as_stock([config.l2 / 2 for config in configs]))
        self.keep_best(np.ones(count, "bool"), np.full(count, np.inf), 0)
        self.ended_epoch.assign(np.zeros(count, "int32"))

    def _is_own(self, x: Any) -> bool:
        """Whether each variant has examples of its own."""
        return len(x.shape) == len(self._problem["input_shape"]) + 2

    def _targets(self, x: Any, y: Any, outputs: Any) -> Any:
        """Targets of each variant, (K, batch)."""
        shape = ops.shape(outputs)[:2]
        return ops.reshape(y, shape) if self._is_own(x) else ops.broadcast_to(ops.reshape(y, (-1,)), shape)

    def _example_losses(self, targets: Any, outputs: Any) -> Any:
        """Each example's loss, (K, batch), as the stock loss computes it."""
        if self._problem["task"] != "classification":
            targets = ops.expand_dims(targets, -1)
        if not self._exact:
            return self._loss_of.call(targets, outputs)
        rows = [ops.reshape(targets, (-1, *targets.shape[2:])), *rows_of(outputs)]
        return in_full_registers(
            lambda filled: self._loss_of.call(filled[0], logits_again(filled[1:])),
            rows,
            ops.shape(outputs)[:2],
        )

    def _penalties(self) -> Any:
        """What the L1 and L2 strengths add to each variant's loss, (K,)."""
        total: Any = 0.0
        for layer in self.network.dense:
            if self.structure.l1:
                total += self._l1 * ops.sum(ops.abs(layer.kernel), axis=(1, 2))
            if self.structure.l2:
                total += self._half_l2 * ops.sum(ops.square(layer.kernel), axis=(1, 2))
        return total
