"""Cures by finding, the likeliest first, and the lesson that shows them."""

from dataclasses import replace

import numpy as np

from .case import Case
from .finding import Finding

LESSONS = {
    "non_finite": "depth-multiplies",
    "exploding_gradients": "depth-multiplies",
    "wrong_output_or_loss": "losses-fit-tasks",
    "frozen": "backpropagation",
    "identical_units": "zero-init",
    "dead_units": "activation-zoo",
    "saturated_units": "activation-zoo",
    "vanishing_gradients": "depth-multiplies",
    "oscillating": "learning-rate",
    "stagnating": "learning-rate",
    "underfitting": "oversized-and-regularized",
    "overfitting": "early-stopping",
}
"""What shows a finding in an experiment: `whyfit lesson NAME`."""
SEE = "see it in an experiment: whyfit lesson "


def advised(finding: Finding, case: Case) -> Finding:
    """The finding with its cures."""
    cures = _CURES[finding.name](finding, case)
    lesson = LESSONS.get(finding.name)
    return replace(finding, advice=(*cures, f"{SEE}{lesson}") if lesson else cures)


def _non_finite(finding: Finding, case: Case) -> tuple[str, ...]:
    if "the inputs" in finding.evidence or "the labels" in finding.evidence:
        return (
            "find the rows: np.flatnonzero(~np.isfinite(x).reshape(len(x), -1).all(axis=1))",
            "drop them, or fill them in and say so in a column of its own",
        )
    if case.facts.get("dtype") == "float16":
        return (
            "use keras.optimizers.LossScaleOptimizer, or mixed_bfloat16",
            "look for sums over many float16 numbers",
        )
    return (
        "ask all examples, of which a part was looked at here: np.isfinite(x).all(), and the same of y",
        "look for a logarithm, root or division of what can be 0 or below in loss and layers, and "
        "keep it away from "
        "0 by a small constant; a root has an infinite derivative at 0",
        "use the loss from logits instead of a softmax or sigmoid and a logarithm",
    )


def _exploding(finding: Finding, case: Case) -> tuple[str, ...]:
    gains = [gain for gain in case.per_layer("start_gains") if gain is not None and gain > 2.5]
    began = (f"begin with smaller weights: {len(gains)} layers begin with a gain above 2.5, the largest "
             f"{max(gains):.3g}; he_normal has 1.4, glorot_uniform about 1",) if gains else ()  # fmt: skip
    rate = f"lower the rate (now {case.series('learning_rate')[-1]:.3g}) ten times and again"
    clip = (
        () if case.facts.get("clips") else ("clip the gradient's norm: optimizer(..., global_clipnorm=1.0)",)
    )
    return (*began, rate, *clip, "normalize within the network: BatchNormalization or LayerNormalization")


def _output(finding: Finding, case: Case) -> tuple[str, ...]:
    said = finding.evidence
    if "over one unit" in said or "of one unit" in said:
        return (
            "one unit: sigmoid and binary_crossentropy",
            "or two units, softmax and sparse_categorical_crossentropy",
        )
    if "logits, it seems" in said:
        return ("tell the loss: from_logits=True", "or end in softmax (sigmoid for one unit)")
    if "divergence" in said:
        return ("end in softmax", "or judge each unit by itself: sigmoid and binary_crossentropy")
    if "already" in said:
        return ("drop from_logits=True", "or drop the last layer's activation")
    if "shape" in said:
        return (
            "give labels the shape of the outputs, or one unit an answer",
            "whole numbers of classes: a sparse loss",
        )
    if "judged by accuracy" in said:
        return ("a unit a class, softmax and sparse_categorical_crossentropy",)
    if "outside of what" in said:
        return ("make the last layer linear: activation=None", "or scale the targets into its range")
    return ("choose loss and labels that belong together: classes by number "
    "sparse_categorical_crossentropy, one-hot "
            "categorical_crossentropy, yes or no binary_crossentropy, sizes mse or mae",)  # fmt: skip


def _inputs(finding: Finding, case: Case) -> tuple[str, ...]:
    return (
        "standardize each feature by the training set's mean and deviation: "
        "keras.layers.Normalization, adapted, as "
        "the first layer",
        "pictures of 0 to 255: keras.layers.Rescaling(1 / 255)",
        "take the logarithm of features that span orders of magnitude",
    )


def _targets(finding: Finding, case: Case) -> tuple[str, ...]:
    return (
        "standardize the targets by the training set's mean and deviation, and undo it in predictions",
        "targets over orders of magnitude: learn their logarithm",
        "or begin the last bias at the targets' mean, with a rate that fits their size",
    )


def _frozen(finding: Finding, case: Case) -> tuple[str, ...]:
    return (
        f"look at what stands behind {finding.layers[-1]}: stop_gradient, round, sign, argmax, a "
        f"cast to whole "
        "numbers, NumPy code, or a call that is not part of the outputs",
        "put a function with a derivative in its place, or pass the gradient straight through",
        "if it is meant to stay as it is, say so: layer.trainable = False",
    )


def _identical(finding: Finding, case: Case) -> tuple[str, ...]:
    return (
        "begin with random weights: kernel_initializer='glorot_uniform', or 'he_normal' before ReLU",
        "zeros are for biases alone",
    )


def _dead(finding: Finding, case: Case) -> tuple[str, ...]:
    rate = f"a lower rate (now {case.series('learning_rate')[-1]:.3g}): one long step can kill a layer"
    began = finding.since_epoch == 1
    biases = "begin biases at 0 or a little above, and weights by he_normal"
    first = (biases, rate) if began else (rate, biases)
    return (*first, "leaky_relu or elu, whose derivative is not 0 below 0", "BatchNormalization before it")


def _saturated(finding: Finding, case: Case) -> tuple[str, ...]:
    return (
        "begin with smaller weights: glorot_uniform, biases at 0",
        "check the size of what goes in: about 1",
        "BatchNormalization before the activation, or ReLU in its place",
    )


def _vanishing(finding: Finding, case: Case) -> tuple[str, ...]:
    if "sequence" in finding.evidence:
        return ("LSTM or GRU in place of SimpleRNN", "begin the forget gate open "
        "(unit_forget_bias=True), recurrent "
                "weights orthogonal", "attention, or a shorter way to the first steps: read "
                "backwards")  # fmt: skip
    squashing = [
        case.activation(row)
        for row in case.hidden
        if case.activation(row) in ("sigmoid", "tanh", "hard_sigmoid")
    ]
    first = ("relu with he_normal in place of " + str(squashing[0]),) if squashing else (
        "begin with weights of the right size: he_normal for relu, glorot_uniform for tanh",)  # fmt: skip
    return (*first, "BatchNormalization between the layers", "ways around: x + layer(x)", "fewer layers")


def _oscillating(finding: Finding, case: Case) -> tuple[str, ...]:
    rate = case.series("learning_rate")[-1]
    return (
        f"lower the rate (now {rate:.3g}): {rate / 10:.2g}, then {rate / 100:.2g}",
        "let it decay, and warm up in the first epoch",
        f"a larger batch (now {case.facts.get('batch_size') or 'unknown'})",
    )


DECAYED = 0.1
"""Share of its largest that a rate has fallen to when the schedule is the first to be looked at."""


def _stagnating(finding: Finding, case: Case) -> tuple[str, ...]:
    rate = case.series("learning_rate")[-1]
    clip = ("clip the gradient later, or not at all",) if case.facts.get("clips") else ()
    small = _largest(case.last("gradient_norm")) < 1e-6
    lost = ("the gradient itself is tiny: look at factors in the loss",) if small else ()
    raised = (
        f"raise the rate (now {rate:.3g}) ten times and again, until updates are about 1e-3 of the weights"
    )
    first = _largest(case.series("learning_rate"))
    if rate < DECAYED * first < np.inf:
        schedule = (
            f"let the rate decay later: it has fallen from {first:.2g} to {rate:.2g}; are its steps batches?"
        )
        return (*lost, *clip, schedule, "or begin higher, or leave the schedule out")
    plain = ("Adam in place of SGD",) if case.facts.get("optimizer") == "SGD" else ()
    return (*lost, *clip, raised, *plain, "look at the schedule: has the rate decayed too early?")


def _labels(finding: Finding, case: Case) -> tuple[str, ...]:
    return (
        "look at twenty examples with their labels: were x and y shuffled, sorted or cut apart?",
        "check the join or the file order that labels come from",
        "ask whether the inputs hold what is asked for at all",
    )


def _underfitting(finding: Finding, case: Case) -> tuple[str, ...]:
    cures = []
    if case.held_by_penalty:
        cures.append("weaken the penalty ten times and again: regularizers of layers, weight_decay")
    if case.facts.get("dropout", 0) >= 0.5:
        cures.append(f"drop less: {case.facts['dropout']:.0%} of the units are left out now")
    narrow = [row for row in case.hidden if (case.per_layer("units")[row] or 99) <= 4]
    if narrow:
        cures.append(f"widen {', '.join(case.names(narrow))}")
    if not case.facts.get("nonlinear") or not case.hidden:
        cures.append("put in hidden layers with relu: what is there now is linear")
    return (*cures, "more units and layers", "train longer, at a higher rate", "inputs that tell more")


def _overfitting(finding: Finding, case: Case) -> tuple[str, ...]:
    best = int(np.nanargmin(case.val_loss)) + 1 if np.isfinite(case.val_loss).any() else case.epochs
    early = f"stop early and keep the best weights (epoch {best}): EarlyStopping"
    return (
        *((early,) if best < case.epochs else ()),
        "more examples, or changed copies of those there are",
        "Dropout(0.5), L2 penalties or weight decay",
        "a smaller network, as the last resort",
    )


def _largest(values: np.ndarray) -> float:
    """The largest of what is a number; infinite where none is."""
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("inf")


_CURES = {
    "non_finite": _non_finite,
    "exploding_gradients": _exploding,
    "wrong_output_or_loss": _output,
    "unscaled_inputs": _inputs,
    "unscaled_targets": _targets,
    "frozen": _frozen,
    "identical_units": _identical,
    "dead_units": _dead,
    "saturated_units": _saturated,
    "vanishing_gradients": _vanishing,
    "oscillating": _oscillating,
    "stagnating": _stagnating,
    "bad_labels": _labels,
    "underfitting": _underfitting,
    "overfitting": _overfitting,
}
