"""What the variants of a population share, and which parts their one compiled step needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ..config import Variant, require

_SAME = ("widths", "activation", "head")


@dataclass(frozen=True)
class Structure:
    """What a population's step is compiled from; strengths and rates are not in it.

    Attributes:
        normalization: Where batch normalization stands.
        l1, l2: Whether any variant has the penalty.
        dropped: Names of the layers whose outputs any variant drops: "input", "hidden_1" and on.
    """

    normalization: Literal["none", "before", "after"]
    l1: bool
    l2: bool
    dropped: frozenset[str]

    def joined(self, other: "Structure") -> "Structure":
        """With the penalties and dropouts of both."""
        return replace(
            self, l1=self.l1 or other.l1, l2=self.l2 or other.l2, dropped=self.dropped | other.dropped
        )


def read_structure(variants: Sequence[Variant]) -> Structure:
    """The structure of variants that can be one population.

    Raises:
        ValueError: Fewer than two variants, or they differ in what must be the same; names the field.
    """
    require("variants", "at least 2 (one alone is a stock model)", len(variants), len(variants) >= 2)
    for name in _SAME:
        values = {getattr(variant.config, name): None for variant in variants}
        field = "units" if name == "widths" else name
        shown = ", ".join(map(str, values))
        require(field, "the same for all variants of a population", shown, len(values) == 1)
    places = {variant.config.batch_normalization for variant in variants}
    rule = "before for all that have one, or after for all"
    require("batch_normalization", rule, ", ".join(sorted(places)), not {"before", "after"} <= places)
    rates = [rate for variant in variants for rate in dropout_rates(variant).items()]
    return Structure(
        normalization=max(places - {"none"}, default="none"),
        l1=any(variant.config.l1 for variant in variants),
        l2=any(variant.config.l2 for variant in variants),
        dropped=frozenset(name for name, rate in rates if rate),
    )


def hidden_names(variant: Variant) -> list[str]:
    """Names of the hidden layers, as in `build_mlp`."""
    return [f"hidden_{number}" for number in range(1, variant.config.depth + 1)]


def dropout_rates(variant: Variant) -> dict[str, float]:
    """Dropout rates by the name of the layer whose outputs are dropped."""
    hidden = zip(hidden_names(variant), variant.config.dropout_rates, strict=True)
    return {"input": variant.config.input_dropout, **dict(hidden)}
