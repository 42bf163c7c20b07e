"""What tracking adds to an epoch of one second, at most.

python benchmarks/tracking.py

An epoch's metrics are written to the run's journal by the training's own thread, and brought from there to
MLflow's database by another, for which the training does not wait. Both are timed, epoch after epoch, as if
one waited for the other, and the share of a second that a sample of the machine's figures takes is added.
"""

import statistics
import tempfile
import time
from pathlib import Path

from whyfit.experiments.run_folder import RunFolder
from whyfit.experiments.tracking.delivery import deliver
from whyfit.experiments.tracking.system import INTERVAL
from whyfit.experiments.tracking.tracker import Tracker

METRICS = ("train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/exact_match", "time/epoch")
EPOCHS = 300


def main() -> None:
    """Print milliseconds an epoch, and their share of a second."""
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    with tempfile.TemporaryDirectory() as place:
        folder = RunFolder(Path(place) / "run")
        folder.path.mkdir()
        folder.update(tracking_uri=f"sqlite:///{place}/mlflow.db")
        tracker = Tracker(folder)
        tracker.create("benchmark")
        deliver(folder)
        epochs = [_seconds(tracker, folder, epoch) for epoch in range(1, EPOCHS + 1)]
        tracker.release()
    monitor = SystemMetricsMonitor(run_id=None, tracking_uri=folder.record["tracking_uri"])
    samples = []
    for _ in range(20):
        began = time.perf_counter()
        monitor.collect_metrics()
        samples.append((time.perf_counter() - began) / INTERVAL)
    worst = sorted(epochs)[int(0.95 * EPOCHS)]
    total = statistics.median(epochs) + statistics.median(samples)
    middle = statistics.median(epochs)
    print(f"an epoch's metrics {1e3 * middle:.1f} ms (95 % of epochs below {1e3 * worst:.1f} ms),")
    print(
        f"the machine's figures {1e3 * statistics.median(samples):.1f} ms a second: {total:.2%} of a second"
    )


def _seconds(tracker: Tracker, folder: RunFolder, epoch: int) -> float:
    began = time.perf_counter()
    tracker.log_epoch(epoch, dict.fromkeys(METRICS, 1 / epoch))
    deliver(folder)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
