"""Train the programs and keep what the monitor measured; then score rules on it, again and again.

python -m benchmarks.diagnosis train   # resumes; --seeds 4 --cured 1 --only TEXT --folder FOLDER
python -m benchmarks.diagnosis score   # the table, in seconds
python -m benchmarks.diagnosis show TEXT   # reports of the runs whose names contain it

Run from the repository's root.
"""

import argparse
import os
import random
import time
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def train(folder: Path, seeds: int, cured: int, only: str, part: tuple[int, int], which: str) -> None:
    """Train what has not been trained."""
    import keras

    from .blind.program import Blind
    from .corpus import programs
    from .program import Trainer

    folder.mkdir(parents=True, exist_ok=True)
    todo = []
    chosen = [one for one in programs() if which in ("all", one.held_out or "tuned")]
    for program in chosen:
        healthy = program.label == "healthy"
        todo += [(program, True, seeds)] if only in program.name else []
        todo += [(program, False, cured)] if only in program.name and not healthy else []
    random.Random(0).shuffle(todo)  # so that whatever is done is a sample of all
    for place, (program, faulty, count) in enumerate(todo[part[0] :: part[1]]):
        files = {seed: folder / f"{program.file(seed, faulty)}.npz" for seed in range(count)}
        if all(path.exists() for path in files.values()):
            continue
        began = time.monotonic()
        keras.backend.clear_session()
        train_one = (
            partial(program.watched, faulty=faulty)
            if isinstance(program, Blind)
            else Trainer(program, faulty).train
        )
        for seed, path in files.items():
            if not path.exists():
                measurements = train_one(seed)
                unfinished = path.with_suffix(".part.npz")
                measurements.save(unfinished)
                unfinished.rename(path)
        said = f"{program.name} {'faulty' if faulty else 'cured'} {measurements.not_measured or ''}"
        print(f"{place + 1}/{len(todo)} {said} {time.monotonic() - began:.1f} s", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("train", "score", "show"))
    parser.add_argument("only", nargs="?", default="")
    parser.add_argument("--folder", type=Path, default=Path("build/diagnosis"))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--cured", type=int, default=1)
    parser.add_argument("--set", choices=("all", "tuned", "second", "fresh", "blind"), default="all")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), help="every n-th run from the k-th on")
    parser.add_argument("--held-out", action="store_true", help="show what is misjudged of the held-out runs")
    given = parser.parse_args()
    if given.what == "train":
        train(given.folder, given.seeds, given.cured, given.only, tuple(given.part), given.set)
        return
    from .score import score, show

    if given.what == "score":
        score(given.folder, given.only, held_out=given.held_out)
    else:
        show(given.folder, given.only)


if __name__ == "__main__":
    main()
