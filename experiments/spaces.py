"""What a search varies: a space belongs to its recipe. Imports neither Keras nor keras-tuner.

>>> [dimension.name for dimension in space_of(recipes.mlp())]
['l1', 'l2', 'dropout']
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from whyfit.models.config import AdditionRNNConfig, MLPConfig

from .config import Run
from .errors import UserError

Settings = Mapping[str, Any]
"""Values by the names of dimensions: `{"l1": 0.0, "l2": 1e-4, "dropout": 0.3}`."""
REGULARIZATION = ("l1", "l2", "dropout", "input_dropout", "recurrent_dropout")
"""Names, and with a layer's number behind `dropout_`, of what is 0 without regularization."""


@dataclass(frozen=True)
class Dimension:
    """One hyperparameter.

    Attributes:
        name: Its name, under which trials log it.
        low, high: Smallest and largest value, 0 apart.
        scale: How values between are drawn: evenly, evenly in the logarithm, or whole numbers evenly in it.
        zero: Share of the draws that are exactly 0.
        choices: Values to choose from instead of a range.
        grid: Values that a grid search tries.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    scale: Literal["linear", "log", "whole", "choice"] = "linear"
    zero: float = 0.0
    choices: tuple[str | float, ...] = ()
    grid: tuple[str | float, ...] = ()

    @property
    def floor(self) -> float:
        """Where the range begins that a tuner draws from: what lies between it and `low` stands for 0."""
        if not self.zero:
            return self.low
        part = self.zero / (1 - self.zero)
        if self.scale == "log":
            return self.low * (self.low / self.high) ** part
        return self.low - (self.high - self.low) * part

    def decode(self, drawn: Any) -> Any:
        """The value that a tuner's draw stands for."""
        return 0.0 if self.zero and drawn < self.low else drawn

    def describe(self) -> str:
        """The dimension in a few words: `0 or 1e-06 to 0.1 (log)`."""
        if self.choices:
            return ", ".join(map(str, self.choices))
        scale = {"log": " (log)", "whole": " (whole, log)"}.get(self.scale, "")
        return f"{'0 or ' if self.zero else ''}{self.low:g} to {self.high:g}{scale}"


STRENGTHS = (0.0, 1e-5, 1e-4, 1e-3)
RATES = (0.0, 0.2, 0.4, 0.6)
DIMENSIONS = {
    "l1": Dimension("l1", 1e-7, 1e-3, "log", 0.2, grid=(0.0, 1e-6, 1e-5, 1e-4)),
    "l2": Dimension("l2", 1e-6, 1e-2, "log", 0.2, grid=STRENGTHS),
    "dropout": Dimension("dropout", 0.05, 0.7, zero=0.15, grid=RATES),
    "input_dropout": Dimension("input_dropout", 0.05, 0.4, zero=0.3, grid=(0.0, 0.1, 0.2)),
    "recurrent_dropout": Dimension("recurrent_dropout", 0.05, 0.5, zero=0.3, grid=(0.0, 0.1, 0.3)),
    "units": Dimension("units", 32, 1024, "whole", grid=(64, 256, 1024)),
    "layers": Dimension("layers", scale="choice", choices=(1, 2, 3, 4), grid=(1, 2, 3, 4)),
    "learning_rate": Dimension("learning_rate", 1e-4, 3e-2, "log", grid=(3e-4, 1e-3, 3e-3, 1e-2)),
    "batch_normalization": Dimension(
        "batch_normalization", scale="choice", choices=("none", "before"), grid=("none", "before")
    ),
}
"""By name; `dropout_1`, `dropout_2` and on are the dropout of one hidden layer."""


def space_of(run: Run, asked: tuple[str, ...] = ()) -> tuple[Dimension, ...]:
    """The space of a recipe, or the one asked for.

    Args:
        run: What is varied.
        asked: Names, each with a range of its own where that is wanted: `l2=1e-5:1e-2`. Empty: L1, L2 and
            dropout, where the network has a hidden layer to drop from.

    Raises:
        UserError: A name, or a range, that cannot be; the known names are said.
    """
    known = _known(run)
    default = [name for name in ("l1", "l2", "dropout") if name in known]
    return tuple(_dimension(one, known) for one in dict.fromkeys(asked or default))


def apply(run: Run, settings: Settings) -> Run:
    """The run with the settings in place of its own.

    >>> apply(recipes.mlp(), {"l2": 1e-3, "dropout": 0.5}).model.dropout
    (0.5,)
    """
    model, optimizer = run.model, run.optimizer
    if "learning_rate" in settings:
        optimizer = replace(optimizer, learning_rate=float(settings["learning_rate"]))
    plain = {name: value for name, value in settings.items() if name != "learning_rate"}
    model = _apply_to_mlp(model, plain) if isinstance(model, MLPConfig) else replace(model, **plain)
    return replace(run, model=model, optimizer=optimizer)


def unregularized(settings: Settings, run: Run | None = None) -> dict[str, Any]:
    """The settings with L1, L2 and every dropout at 0, also those that the run brings along."""
    fields = dataclasses.asdict(run.model) if run else {}
    own = {name: 0.0 for name in REGULARIZATION if fields.get(name) not in (None, 0.0, (0.0,))}
    return {name: 0.0 if is_regularization(name) else value for name, value in (own | dict(settings)).items()}


def is_other(settings: Settings, plain: Settings) -> bool:
    """Whether regularization makes any difference to settings."""
    return any(settings.get(name) != value for name, value in plain.items())


def is_regularization(name: str) -> bool:
    """Whether a hyperparameter is one of regularization."""
    return name in REGULARIZATION or name.startswith("dropout_")


def describe(space: tuple[Dimension, ...]) -> dict[str, Any]:
    """The space as a state keeps it: its names, and each one's range."""
    names = {"space": [one.name for one in space]}
    return names | {f"space.{one.name}": one.describe() for one in space}


def _apply_to_mlp(model: MLPConfig, settings: dict[str, Any]) -> MLPConfig:
    values = dict(settings)
    if "units" in values:
        values["units"] = (int(values["units"]),)
    if "dropout" in values:
        values["dropout"] = (float(values["dropout"]),)
    of_layers = {name: values.pop(name) for name in list(values) if name.startswith("dropout_")}
    model = replace(model, **values)
    if of_layers:
        rates = list(model.dropout_rates)
        for name, rate in of_layers.items():
            rates[int(name.removeprefix("dropout_")) - 1] = float(rate)
        model = replace(model, dropout=tuple(rates))
    return model


def _known(run: Run) -> dict[str, Dimension]:
    names = ["l1", "l2", "units", "learning_rate"]
    if isinstance(run.model, AdditionRNNConfig):
        names += ["dropout", "recurrent_dropout", "layers"]
        return {name: DIMENSIONS[name] for name in names}
    names += ["input_dropout", "batch_normalization"]
    if not run.model.depth:
        names.remove("units")
        return {name: DIMENSIONS[name] for name in names}
    names += ["dropout"] + ["layers"] * (len(run.model.units) == 1)
    layers = {f"dropout_{number}": DIMENSIONS["dropout"] for number in range(1, run.model.depth + 1)}
    known = {name: DIMENSIONS[name] for name in names}
    return known | {name: replace(one, name=name) for name, one in layers.items()}


def _dimension(asked: str, known: dict[str, Dimension]) -> Dimension:
    name, _, limits = asked.partition("=")
    if name not in known:
        raise UserError(f"--space must be of {', '.join(known)}, got {name!r}")
    dimension = known[name]
    if not limits:
        return dimension
    low, _, high = limits.partition(":")
    try:
        dimension = replace(dimension, low=float(low), high=float(high))
    except ValueError:
        raise UserError(f"--space {name} must have a range like 1e-5:1e-2, got {limits!r}") from None
    positive = dimension.scale == "linear" or dimension.low > 0
    if dimension.choices or not positive or not dimension.low < dimension.high < math.inf:
        rule = "the default one" if dimension.choices else "from a smaller to a larger number"
        raise UserError(f"--space {name} must have a range {rule}, got {limits!r}")
    return replace(dimension, grid=_spread(dimension))


def _spread(dimension: Dimension) -> tuple[float, ...]:
    """Four values from end to end for a grid, and 0 where that is tried."""
    low, high = dimension.low, dimension.high
    shares = [number / 3 for number in range(4)]
    if dimension.scale == "linear":
        values = [low + share * (high - low) for share in shares]
    else:
        values = [low * (high / low) ** share for share in shares]
    if dimension.scale == "whole":
        values = [round(value) for value in values]
    return (0.0, *values) if dimension.zero else tuple(values)
