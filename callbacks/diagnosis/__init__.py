"""From measurements to what is wrong with a training. Needs no Keras but for `facts` and `losses`."""

import warnings
from dataclasses import dataclass, replace

import numpy as np

from .advice import advised
from .case import Case
from .causes import diagnosis_of, findings_of
from .finding import HEALTHY, NAMES, UNDETERMINED, Finding
from .measurements import Measurements
from .report import report

__all__ = ["HEALTHY", "NAMES", "UNDETERMINED", "Diagnosis", "Finding", "Measurements", "diagnose"]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with one training.

    Attributes:
        name: The root cause, "healthy", or "undetermined" before there is enough to say.
        findings: All that is wrong, the root first, then by severity.
        report: The same in words.
    """

    name: str
    findings: list[Finding]
    report: str


def diagnose(measurements: Measurements) -> Diagnosis:
    """Judge one training; of a population take `measurements.variant(place)`."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of what was not measured
        case = Case(measurements.measured())
        missed = measurements.epochs - case.epochs
        found = [advised(finding, case) for finding in findings_of(case)]
        found = [replace(finding, since_epoch=finding.since_epoch + missed) for finding in found]
        name = diagnosis_of(case, found)
        return Diagnosis(name, found, report(name, found, case.in_words))
