"""What a run came to."""

from dataclasses import dataclass

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
    """

    name: str
    status: str
    reason: str
    history: dict[str, list[float]]
    metrics: dict[str, float]
    run_id: str | None
    delivered: bool

    @classmethod
    def of(cls, folder: RunFolder) -> "Result":
        """The result that a run's record holds."""
        record = folder.record
        return cls(
            name=folder.name,
            status=record["status"],
            reason=record["reason"],
            history=record.get("history", {}),
            metrics=record.get("metrics", {}),
            run_id=run_id(folder),
            delivered=is_delivered(folder),
        )
