"""Named configurations as plain functions: call one with fields to change, or name it on the command line.

>>> from whyfit.experiments import recipes, train
>>> [result] = train(recipes.addition(seed=3, epochs=2))
"""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from whyfit.models.config import AdditionRNNConfig, MLPConfig

from .config import OptimizerConfig, Run, flatten
from .data.config import (
    SOURCES,
    AdditionsConfig,
    DataConfig,
    FileConfig,
    GlyphsConfig,
    ImagesConfig,
    PointsConfig,
)


def addition(**changes: Any) -> Run:
    """The sequence workshop at its fastest.

    make train
    """
    run = Run(
        recipe="addition",
        epochs=9,
        batch_size=256,
        optimizer=OptimizerConfig("Muon", learning_rate=4e-2, warmup_epochs=1, decay="cosine"),
        model=AdditionRNNConfig(),
        data=AdditionsConfig(reverse_answers=True),
    )
    return replace(run, **changes)


def addition_published(**changes: Any) -> Run:
    """The sequence workshop as it was published: LSTM 128, batch 128, Adam at 1e-3, 199 epochs.

    make train EXPERIMENT=addition-published
    """
    run = Run(
        recipe="addition-published",
        epochs=199,
        batch_size=128,
        show_every=1,
        model=AdditionRNNConfig(),
        data=AdditionsConfig(),
    )
    return replace(run, **changes)


def mlp(**changes: Any) -> Run:
    """A dense network with one hidden layer, on letters A to J; any other data by --data.

    make train EXPERIMENT=mlp

    Without XLA, which wins nothing on these networks (0.94 of its time an epoch without, 0.88 for mlp-deep)
    and takes seconds to compile; 16 steps an execution take 0.7 of the time of one.
    """
    run = Run(
        recipe="mlp",
        epochs=10,
        batch_size=256,
        model=MLPConfig(),
        data=GlyphsConfig(),
        jit_compile=False,
        show_every=0,
    )
    return replace(run, **changes)


def mlp_10k(**changes: Any) -> Run:
    """The same network on 10,000 letters, where regularization shows; what `make search` searches.

    make search
    """
    return mlp(**{"recipe": "mlp-10k", "data": GlyphsConfig(train=10_000), "epochs": 8, **changes})


def logistic(**changes: Any) -> Run:
    """The softmax classifier: no hidden layer, (N + 1) K parameters.

    make train EXPERIMENT=logistic
    """
    return mlp(**{"recipe": "logistic", "model": MLPConfig(layers=0), **changes})


def mlp_deep(**changes: Any) -> Run:
    """Four hidden layers with batch normalization and dropout.

    make train EXPERIMENT=mlp-deep
    """
    model = MLPConfig(units=(512, 512, 512, 512), batch_normalization="before", dropout=(0.2,))
    return mlp(**{"recipe": "mlp-deep", "model": model, **changes})


def fashion(**changes: Any) -> Run:
    """Fashion-MNIST by two hidden layers with dropout.

    make train EXPERIMENT=fashion
    """
    data = ImagesConfig("fashion-mnist")
    model = MLPConfig(units=(512, 256), dropout=(0.3,))
    optimizer = OptimizerConfig("Adam", learning_rate=2e-3, warmup_epochs=1, decay="cosine")
    return mlp(
        **{"recipe": "fashion", "data": data, "model": model, "epochs": 20, "optimizer": optimizer, **changes}
    )


def vanishing(**changes: Any) -> Run:
    """Twenty layers of sigmoids from small weights: the gradient does not reach the first ones.

    make train EXPERIMENT=vanishing
    """
    model = MLPConfig(layers=20, units=(64,), activation="sigmoid")
    return mlp(**{"recipe": "vanishing", "model": model, "epochs": 5, **changes})


def exploding(**changes: Any) -> Run:
    """Twenty layers of ReLUs from weights three times too large: gradients grow layer by layer.

    make train EXPERIMENT=exploding
    """
    model = MLPConfig(layers=20, units=(64,), initializer="he_normal", initializer_scale=3.0)
    optimizer = OptimizerConfig("SGD", learning_rate=1e-2)
    return mlp(**{"recipe": "exploding", "model": model, "optimizer": optimizer, "epochs": 5, **changes})


RECIPES: dict[str, Callable[..., Run]] = {
    "addition": addition,
    "addition-published": addition_published,
    "mlp": mlp,
    "mlp-10k": mlp_10k,
    "logistic": logistic,
    "mlp-deep": mlp_deep,
    "fashion": fashion,
    "vanishing": vanishing,
    "exploding": exploding,
}
"""By the name on the command line."""


def on(run: Run, data: DataConfig) -> Run:
    """The run on other data.

    Points and tables have thousands of examples, not tens of thousands: smaller batches, more epochs.
    """
    if isinstance(data, PointsConfig | FileConfig):
        run = replace(run, epochs=60, batch_size=32)
    return replace(run, data=data)


def flags_of(run: Run) -> list[str]:
    """The flags with which `whyfit train RECIPE` makes this run; none where it is the recipe itself.

    >>> flags_of(mlp(epochs=3))
    ['--epochs 3']
    """
    default, flags = RECIPES[run.recipe](), []
    name = next(name for name, data in SOURCES.items() if _kind(data) == _kind(run.data))
    if _kind(default.data) != _kind(run.data):
        default, flags = on(default, SOURCES[name]), [f"--data {name}"]
    before = dict(flatten(asdict(default)))
    for key, value in flatten(asdict(run)):
        if key not in ("recipe", "name") and value != before[key]:
            values = value if isinstance(value, tuple) else (value,)
            flags.append(" ".join([f"--{key.replace('_', '-')}", *map(str, values)]))
    return flags


def _kind(data: DataConfig) -> tuple[str, str]:
    """A source, and which of its sets."""
    return data.source, getattr(data, "name", "")
