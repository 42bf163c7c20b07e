"""What a training calls to be tracked: every call writes to the run's journal and returns at once."""

import getpass
import json
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..data.splits import Data
from ..run_folder import RUNNING, RunFolder
from ..state import Journal, read_journal
from .delivery import Delivery, is_delivered
from .store import default_uri
from .system import SystemMetrics

PACKAGES = ("whyfit", "keras", "tensorflow", "numpy", "mlflow")


class Tracker:
    """One run's way into MLflow, through a journal on the disk.

    A server that is slow, down or restarted costs neither time nor points: what it has not got
    waits in the journal, and `whyfit sync` delivers it.

    Attributes:
        finished_by: Why the run ends where nothing goes wrong, in a line.
        commit: Of this code, once begun; "unknown" outside a checkout.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.finished_by = "all epochs done"
        self.commit = "unknown"
        if "tracking_uri" not in folder.record:
            folder.update(tracking_uri=default_uri())
        self._journal = Journal(folder.journal)
        self._delivery = Delivery(folder)
        self._logged = _last_steps(folder)
        self._system = SystemMetrics(self._log_sample)

    def begin(self, config: dict[str, Any], data: Sequence[Data], device: str, experiment: str = "") -> None:
        """Say what the run is and start delivering; a known run is marked as running again.

        Args:
            config: All that decides what it does.
            data: What it trains on.
            device: What it computes on.
            experiment: MLflow's experiment; by default named after the data.
        """
        self.create(experiment or data[0].name)
        self._append("status", status=RUNNING)
        self._append("params", params={key: str(value) for key, value in config.items()})
        notes = "\n".join(note for one in data for note in one.notes)[:5_000]
        provenance = _provenance(config, device)
        self.commit = provenance["mlflow.source.git.commit"]
        tags = provenance | {"whyfit.status_reason": "", "whyfit.data.notes": notes}
        self._append("tags", tags=tags)
        for one in data:
            self._append("dataset", name=one.name, digest=one.digest[:32], profile=_profile(one))
        self._delivery.start()
        self._system.start()

    def create(self, experiment: str) -> None:
        """Have the run made under an MLflow experiment, unless it is there already."""
        self._experiment = experiment
        self._append("create", experiment=experiment, name=self.folder.name)

    def log_epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        """Log an epoch's metrics, epochs counted from 1; one that was logged before is not logged again."""
        if epoch > self._logged.get("epoch", 0):
            self.log_metrics(metrics, epoch, series="epoch")

    def log_metrics(self, metrics: dict[str, float], step: int, series: str = "") -> None:
        """Log values by name at a step; a series is numbered on when a run goes on."""
        self._logged[series] = step
        self._append("metrics", metrics=metrics, step=step, series=series)

    def log_trial(
        self, number: int, epoch: int, params: dict[str, Any], history: dict[str, list[float]], **fields: Any
    ) -> None:
        """Have a trial of this search made, or brought on, as a run nested under it.

        Args:
            number: The trial's number, from 1.
            epoch: Epochs it has trained; what was logged of it before is not logged again.
            params: Its settings.
            history: Lists by metric name, one value an epoch.
            fields: `metrics`, final figures by name; `tags`; `status`; `began` and `ended`, in seconds.
        """
        known = self._logged.get(f"trial {number}", 0)
        if epoch <= known:
            return
        self._logged[f"trial {number}"] = epoch
        rows = {name: values[known:] for name, values in history.items()}
        self._append(
            "trial",
            number=number,
            experiment=self._experiment,
            name=f"{self.folder.name}/{number}",
            params={name: str(value) for name, value in params.items()},
            history=rows,
            first=known + 1,
            epoch=epoch,
            **fields,
        )

    def log_file(self, path: Path, folder: str = "") -> None:
        """Keep a file, or a whole folder, under the run's artifacts."""
        self._append("artifact", path=str(path.relative_to(self.folder.path)), folder=folder)

    def log_tags(self, tags: dict[str, str]) -> None:
        """Set tags."""
        self._append("tags", tags=tags)

    def close(self, status: str, reason: str) -> None:
        """Say how the run ended: FINISHED, FAILED or KILLED, and why, in a line."""
        self._system.stop()
        self._append("tags", tags={"whyfit.status_reason": reason})
        self._append("status", status=status)
        self.release()

    def release(self) -> None:
        """Leave the journal to others."""
        self._journal.close()

    def wait(self, patience: float) -> bool:
        """Wait until all is delivered, or nothing has moved for `patience` seconds; says whether it is."""
        self._delivery.finish(patience)
        return is_delivered(self.folder)

    def _log_sample(self, figures: dict[str, float]) -> None:
        self.log_metrics(figures, self._logged.get("system", 0) + 1, series="system")

    def _append(self, kind: str, **fields: Any) -> None:
        self._journal.append({"kind": kind, "time": round(time.time() * 1000), **fields})
        self._delivery.wake()


def _profile(data: Data) -> str:
    sizes = {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)}
    return json.dumps(sizes | {"x": list(data.train.x.shape[1:]), "y": list(data.train.y.shape[1:])})


def _last_steps(folder: RunFolder) -> dict[str, int]:
    """The last step logged of each series and trial, by an earlier process of the same run."""
    records = [record for record, _ in read_journal(folder.journal)]
    steps = {record["series"]: record["step"] for record in records if record["kind"] == "metrics"}
    trials = [record for record in records if record["kind"] == "trial"]
    return steps | {f"trial {record['number']}": record["epoch"] for record in trials}


def _provenance(config: dict[str, Any], device: str) -> dict[str, str]:
    commit, dirty = _git()
    backend = config["backend"]
    tags = {f"version.{name}": version(name) for name in dict.fromkeys((*PACKAGES, backend))}
    return tags | {
        "version.python": platform.python_version(),
        "whyfit.recipe": str(config["recipe"]),
        "whyfit.device": device,
        "whyfit.git.dirty": dirty,
        "mlflow.source.git.commit": commit,
        "mlflow.source.name": " ".join(["whyfit", *sys.argv[1:]])[:500],
        "mlflow.source.type": "LOCAL",
        "mlflow.user": getpass.getuser(),
    }


def _git() -> tuple[str, str]:
    """The commit of this code and whether files differ from it; both "unknown" outside a checkout."""
    here = Path(__file__).parent

    def git(*command: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here), *command], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "HEAD"), str(bool(git("status", "--porcelain", "--", ":/"))).lower()
    except (OSError, subprocess.CalledProcessError):
        return "unknown", "unknown"
