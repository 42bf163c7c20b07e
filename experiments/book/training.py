"""Trains a lesson's variants with all their seeds, those that can share it in one training."""

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from whyfit.models import AdditionRNNConfig

from ..config import Run
from . import in_turn, together
from .trained import Trained

Tell = Callable[[str], None]


def train_variants(
    variants: dict[str, Run], folder: Path, tell: Tell, *, test_curves: bool = False
) -> dict[str, Trained]:
    """Train all of a lesson's variants, or the rest of them where it was interrupted.

    Args:
        variants: By name; seeds of a variant are those of its run, two at least.
        folder: Where states are kept.
        tell: Called with a line before each training.
        test_curves: Have the test set's metrics in `history` as well.
    """
    # TensorFlow takes many populations, each compiled once, for one function compiled again and again.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    found: dict[str, Trained] = {}
    groups = list(_groups(variants))
    for number, names in enumerate(groups, start=1):
        group = {name: variants[name] for name in names}
        networks = sum(run.seeds for run in group.values())
        alone = isinstance(next(iter(group.values())).model, AdditionRNNConfig)
        shown = "; ".join(names) if len(names) <= 6 else f"{names[0]} to {names[-1]} ({len(names)} variants)"
        how = "in turn" if alone else "as one"
        tell(f"training {number}/{len(groups)}: {shown}; {networks} networks {how}")
        place = folder / f"training-{number}"
        found |= in_turn.train(group, place) if alone else together.train(group, place, test_curves)
    return {name: found[name] for name in variants}


def _groups(variants: dict[str, Run]) -> Iterator[list[str]]:
    """Names of runs that can be trained as one."""
    keys = {name: _key(run) for name, run in variants.items()}
    for _, names in itertools.groupby(sorted(variants, key=keys.__getitem__), key=keys.__getitem__):
        yield sorted(names, key=list(variants).index)


def _key(run: Run) -> str:
    """What runs of one training have in common."""
    return in_turn.key(run) if isinstance(run.model, AdditionRNNConfig) else together.key(run)
