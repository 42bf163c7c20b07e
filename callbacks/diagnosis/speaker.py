"""Says what is found while a training runs."""

from collections.abc import Callable

from . import Diagnosis
from .finding import Finding
from .report import line


class Speaker:
    """Tells each finding once, when it appears.

    Args:
        stop_on: Names of findings that are to end the fit.
        on_finding: Called with each; of a population with the variant as well.
        verbose: Whether each is printed, but for a population's.
    """

    def __init__(
        self, stop_on: tuple[str, ...], on_finding: Callable[..., None] | None, verbose: bool
    ) -> None:
        self._stop_on, self._on_finding, self._verbose = stop_on, on_finding, verbose
        self._told: set[tuple[int, str]] = set()

    def listens(self, population: bool) -> bool:
        """Whether anybody wants to know; the many variants of a population are printed at no epoch's end."""
        return bool(self._stop_on or self._on_finding or (self._verbose and not population))

    def forget(self) -> None:
        """Begin anew, with another model."""
        self._told = set()

    def tell(self, diagnoses: list[Diagnosis], population: bool) -> bool:
        """Tell what is new; returns whether the fit is to end."""
        for place, diagnosis in enumerate(diagnoses):
            for finding in diagnosis.findings:
                if (place, finding.name) not in self._told:
                    self._told.add((place, finding.name))
                    # What only follows from the root is in the report.
                    if finding is diagnosis.findings[0]:
                        self._say(finding, place if population else None)
        ends = [
            bool({one.name for one in diagnosis.findings} & set(self._stop_on)) for diagnosis in diagnoses
        ]
        return bool(ends) and all(ends)

    def _say(self, finding: Finding, variant: int | None) -> None:
        if self._verbose and variant is None:
            print(line(finding))
        if self._on_finding is not None:
            self._on_finding(finding) if variant is None else self._on_finding(finding, variant)
