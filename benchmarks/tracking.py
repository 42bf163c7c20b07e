"""What tracking adds to an epoch: the same training with and without it, taking turns.

python benchmarks/tracking.py

The recipe `addition` on a tenth of its questions would have epochs too short to be of interest, so
the training is whole; the first epoch, which compiles, is left out. Epochs are compared pair by pair.
"""

import statistics
import tempfile
from pathlib import Path
from unittest import mock

EPOCHS, PAIRS = 4, 4


def epochs(tracked: bool) -> list[float]:
    """Seconds of each epoch behind the first."""
    from whyfit.experiments import recipes, train
    from whyfit.experiments.tracking import tracker

    nothing = mock.patch.object(tracker.Delivery, "wake"), mock.patch.object(tracker.SystemMetrics, "start")
    silent = mock.patch.object(tracker.Journal, "append")
    run = recipes.addition(epochs=EPOCHS, show_every=0)
    if tracked:
        return train(run)[0].history["time/epoch"][1:]
    with nothing[0], nothing[1], silent:
        return train(run)[0].history["time/epoch"][1:]


def main() -> None:
    """Print the ratio of the epochs' times, paired by turn and epoch."""
    import os

    with tempfile.TemporaryDirectory() as folder:
        os.environ["WHYFIT_MLRUNS"] = str(Path(folder) / "mlruns")
        ratios = []
        for turn in range(PAIRS):
            order = (True, False) if turn % 2 else (False, True)
            times = {tracked: epochs(tracked) for tracked in order}
            ratios += [a / b for a, b in zip(times[True], times[False], strict=True)]
        low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
        print(f"tracked / untracked: {middle:.3f} ({low:.3f} to {high:.3f} over {len(ratios)} epochs)")


if __name__ == "__main__":
    main()
