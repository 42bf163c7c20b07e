"""Processor, memory, disk, network and GPU figures while a run goes on, by MLflow's own collectors."""

import logging
import threading
from collections.abc import Callable

from .store import default_uri

INTERVAL = 5.0
"""Seconds between two samples."""


class SystemMetrics:
    """A thread that samples the machine and hands the figures on as `system/...`.

    MLflow's own monitor sends them straight to the server and stops for good when that is down;
    this one hands them to the run's journal.

    Args:
        log: Called with the figures by name.
    """

    def __init__(self, log: Callable[[dict[str, float]], None]) -> None:
        self._log = log
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="system-metrics", daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """End; no sample is handed on after this."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _sample(self) -> None:
        logging.getLogger("mlflow.system_metrics").setLevel(logging.ERROR)
        monitor = None
        while not self._stopped.wait(INTERVAL):
            if monitor is None:
                from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

                monitor = SystemMetricsMonitor(run_id=None, tracking_uri=default_uri())
            monitor.collect_metrics()
            figures = monitor.aggregate_metrics()
            for collector in monitor.monitors:
                collector.clear_metrics()
            if not self._stopped.is_set():
                self._log({f"system/{name}": value for name, value in figures.items()})
