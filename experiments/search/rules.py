"""What a search decides by itself: how many at once, who leaves early, what is trained anew at the end."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

from whyfit.models.config import MLPConfig

from ..config import Run
from ..data.splits import Data
from ..spaces import Settings, apply, is_other
from .config import SearchConfig
from .trials import Trial

SMALL_KERNEL = 2**15
"""Weights of a network's largest kernel below which a population of many costs little more than one."""
MEMORY = 2 * 2**30
"""Bytes that a population may take. A constant, so that the same search is the same on every machine."""
LEARNING = 8
"""Trials at once where the tuner learns from each of them."""
RUNG = 256
"""Trials of Hyperband that may wait for training: more than its largest rung."""
COPIES = 10**10
"""Weights times examples whose training takes about as long as compiling a population of another size, three
seconds on two cores: 0.24 ns each in 784-256-10, 0.3 ns in 2-32-32-2."""
WINDOW = 12
"""Trials that a trial is compared with when it is decided whether it goes on."""


def objective_of(data: Data) -> str:
    """The validation metric that is to be high; not the loss, which holds the penalties that are searched."""
    if data.task == "sequence":
        return "val/exact_match"
    return "val/r2" if data.task == "regression" else "val/accuracy"


def at_once(run: Run, config: SearchConfig, settings: Settings, data: Data) -> int:
    """How many networks of a setting's shape are trained as one population."""
    from whyfit.models import bytes_a_variant
    from whyfit.models.config import Variant

    model = apply(run, settings).model
    assert isinstance(model, MLPConfig)
    shape, classes = data.train.x.shape[1:], data.classes
    sizes = {"input_shape": shape, "classes": classes, "batch_size": run.batch_size}
    most = max(2, MEMORY // bytes_a_variant(Variant(model), **sizes))
    return min(most, config.at_once or _usual(model, data))


def asked_at_once(run: Run, config: SearchConfig, data: Data) -> int:
    """For how many settings the oracle is asked before any of them is trained."""
    if config.tuner == "hyperband":
        return RUNG
    size = at_once(run, config, {}, data)
    return min(size, LEARNING) if config.tuner == "bayesian" and not config.at_once else size


def width(run: Run, settings: Settings, data: Data, count: int, compiled: int, epochs: int) -> int:
    """How many networks a population of `count` trials has: as many as the largest of this shape before it,
    which is compiled already, where training copies of its own for these epochs takes less than compiling."""
    copies = max(0, compiled - count)
    model = apply(run, settings).model
    assert isinstance(model, MLPConfig)
    cost = copies * epochs * len(data.train) * sum(_kernels(model, data))
    return max(2, count, compiled if cost < COPIES else 0)


def check_epoch(run: Run, config: SearchConfig) -> int:
    """The epoch after which the worst trials leave; 0 where none do."""
    if not config.end_early or config.tuner == "hyperband" or run.epochs < 3:
        return 0
    return max(1, round(run.epochs / 3))


def leaving(leg: list[Trial], before: list[Trial], objective: str, epoch: int) -> set[int]:
    """Numbers of a leg's trials that leave: those not among the best two thirds.

    Args:
        leg: Trials that have just reached the epoch.
        before: Earlier ones, in order, with which a leg of less than `WINDOW` trials is filled up.
        objective: What is to be high.
        epoch: Up to which scores count.
    """
    rivals = before[-max(0, WINDOW - len(leg)) :] if len(leg) < WINDOW else []
    window = [*rivals, *leg]
    if len(window) < WINDOW // 2:
        return set()
    # Where scores are equal the earlier trial stays.
    order = sorted(window, key=lambda trial: (-trial.score(objective, epoch), trial.number))
    stay = -(-2 * len(window) // 3)
    return {trial.number for trial in order[stay:]} & {trial.number for trial in leg}


def finals_of(
    best: Settings, plain: Settings, run: Run, config: SearchConfig, number: int
) -> list[dict[str, Any]]:
    """The trainings after the search, on seeds that nothing was chosen with.

    Args:
        best: The best setting.
        plain: The same without regularization.
        run: What is searched.
        config: On how many seeds.
        number: The first one's number.
    """
    roles = {"winner": dict(best)} | ({"plain": dict(plain)} if is_other(best, plain) else {})
    finals: list[dict[str, Any]] = []
    for seed in range(run.seed + 1, run.seed + 1 + config.retrain):
        for role, settings in roles.items():
            fields = {"settings": settings, "seed": seed, "goal": run.epochs, "role": role}
            finals.append({"number": number + len(finals), **fields})
    return finals


def fields_of(config: SearchConfig) -> dict[str, Any]:
    """The search's fields as its state keeps them, but the space; the number of processes may change."""
    return {name: value for name, value in asdict(config).items() if name not in ("workers", "space")}


def _usual(model: MLPConfig, data: Data) -> int:
    return 64 if max(_kernels(model, data)) < SMALL_KERNEL else 16


def _kernels(model: MLPConfig, data: Data) -> list[int]:
    """Weights of each layer, but for biases."""
    sizes = [data.train.x[0].size, *model.widths, data.classes]
    return [before * after for before, after in pairwise(sizes)]
