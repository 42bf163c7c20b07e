"""Experiments: from a recipe to a result with its evidence.

    >>> from whyfit.experiments import recipes, train
    >>> [result] = train(recipes.addition(epochs=1))

Names are imported when first used. `train.py` is the file to read first.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["recipes"],
    submod_attrs={"config": ["OptimizerConfig", "Run"], "train": ["Result", "train"]},
)
