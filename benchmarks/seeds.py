"""A recipe over seeds: each run's figures, their means and 95 % intervals (Student's t).

python benchmarks/seeds.py RECIPE SEEDS [FIELDS], such as: python benchmarks/seeds.py fashion 5 --epochs 10

The runs are tracked under names of their own, so that the command goes on where it was stopped.
"""

import os
import sys
import time

import numpy as np
from scipy import stats

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
SHOWN = ("test/exact_match", "test/accuracy", "test/r2", "test/loss", "best/val/loss", "time/training")


def interval(values: list[float]) -> str:
    """Mean and half the width of its 95 % interval."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) if len(values) > 1 else float("nan")
    return f"{np.mean(values):.5f} ± {half:.5f}  ({min(values):.5f} to {max(values):.5f})"


def main() -> None:
    """Train seed after seed and print the table."""
    from whyfit.experiments import train
    from whyfit.experiments.commands.train import read_run

    recipe, seeds, *fields = sys.argv[1:]
    results = []
    for seed in range(int(seeds)):
        began = time.monotonic()
        named = (
            [] if "--name" in fields else ["--name", "-".join(["seeds", recipe, *_words(fields), str(seed)])]
        )
        results += train(read_run([recipe, *fields, "--seed", str(seed), *named]))
        figures = {name: results[-1].metrics[name] for name in SHOWN if name in results[-1].metrics}
        print(f"seed {seed}: {figures}, all {time.monotonic() - began:.1f} s", flush=True)
    for name in figures:
        print(f"{name:18} {interval([result.metrics[name] for result in results])}  n={len(results)}")


def _words(fields: list[str]) -> list[str]:
    """Fields as a part of a name."""
    return [
        "".join(c for c in field if c.isalnum() or c in "._")[:20] for field in fields if "/" not in field
    ]


if __name__ == "__main__":
    main()
