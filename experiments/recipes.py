"""Named configurations as plain functions: call one with fields to change, or name it on the command line.

>>> from whyfit.experiments import recipes, train
>>> [result] = train(recipes.addition(seed=3, epochs=2))
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .config import OptimizerConfig, Run
from .data.config import AdditionsConfig


def addition(**changes: Any) -> Run:
    """The sequence workshop at its fastest.

    make train
    """
    run = Run(
        recipe="addition",
        epochs=9,
        batch_size=256,
        optimizer=OptimizerConfig("Muon", learning_rate=4e-2, warmup_epochs=1, decay="cosine"),
        data=AdditionsConfig(reverse_answers=True),
    )
    return replace(run, **changes)


def addition_published(**changes: Any) -> Run:
    """The sequence workshop as it was published: LSTM 128, batch 128, Adam at 1e-3, 199 epochs.

    make train EXPERIMENT=addition-published
    """
    run = Run(recipe="addition-published", epochs=199, batch_size=128, show_every=1)
    return replace(run, **changes)


RECIPES: dict[str, Callable[..., Run]] = {"addition": addition, "addition-published": addition_published}
