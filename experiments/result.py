"""What a run came to."""

from dataclasses import dataclass, field, replace

from .run_folder import RunFolder
from .tracking.delivery import is_delivered, run_id


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        name: The run's name, which goes on with it.
        status: FINISHED, or KILLED when it was interrupted.
        reason: Why it ended, in a line.
        history: Lists by metric name, one value an epoch.
        metrics: Final figures by name: `test/...` with the best epoch's weights, `best/...` of that
            epoch, `time/...` in seconds.
        run_id: MLflow's id; None while MLflow has not got it.
        delivered: Whether MLflow has everything.
        setting: Of a population's variant, its seed and what was swept.
    """

    name: str
    status: str
    reason: str
    history: dict[str, list[float]]
    metrics: dict[str, float]
    run_id: str | None
    delivered: bool
    setting: dict[str, float] = field(default_factory=dict)


def results_of(folder: RunFolder) -> list[Result]:
    """The results that a run's record holds: one for each variant, one alone for a plain run."""
    record = folder.record
    whole = Result(
        name=folder.name,
        status=record["status"],
        reason=record["reason"],
        history=record.get("history", {}),
        metrics=record.get("metrics", {}),
        run_id=run_id(folder),
        delivered=is_delivered(folder),
    )
    variants = record.get("variants") or []
    return [_variant(whole, place, figures) for place, figures in enumerate(variants)] or [whole]


def _variant(whole: Result, place: int, figures: dict[str, float]) -> Result:
    history = {
        name: [value[place] if isinstance(value, list) else value for value in values]
        for name, values in whole.history.items()
    }
    metrics = {name: value for name, value in figures.items() if "/" in name}
    setting = {name: value for name, value in figures.items() if "/" not in name}
    return replace(whole, history=history, metrics=metrics, setting=setting)
