"""What a diagnosis says."""

from dataclasses import dataclass
from typing import Literal, get_args

from ..config import FindingName

Severity = Literal["critical", "serious", "minor"]
NAMES: tuple[str, ...] = get_args(FindingName)
HEALTHY, UNDETERMINED = "healthy", "undetermined"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a training.

    Attributes:
        name: One of `NAMES`.
        layers: Where, in the model's order; empty where it is no layer's.
        since_epoch: The first epoch that showed it, from 1.
        severity: critical: nothing is learned, or nothing that counts; serious: less than could be; minor: a
            mistake without harm so far.
        evidence: The numbers it rests on.
        advice: Cures, the likeliest first.
    """

    name: str
    layers: tuple[str, ...] = ()
    since_epoch: int = 1
    severity: Severity = "critical"
    evidence: str = ""
    advice: tuple[str, ...] = ()
