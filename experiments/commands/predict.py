"""whyfit predict RUN NEW: what a tracked network says of new rows or pictures, as CSV."""

import csv
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from .. import state
from ..errors import UserError
from . import import_quietly
from .parsing import parse


@dataclass(frozen=True)
class Predict:
    """New examples for a tracked network."""

    run: Annotated[str, tyro.conf.Positional] = ""
    """Name or id of a tracked run."""
    new: Annotated[str, tyro.conf.Positional] = ""
    """New rows (.csv, .parquet), pictures (file or folder) or arrays (.npz), as the run was trained on."""
    out: str = ""
    """File to write to. Empty: standard output."""


def main(arguments: list[str]) -> int:
    """Write a line for each new example: the answer, and for classes the probability of each."""
    asked = parse(
        Predict, arguments, "whyfit predict", "What a tracked network says of new rows or pictures."
    )
    if not asked.run or not asked.new:
        raise UserError("RUN and NEW must be given, as in: whyfit predict mlp-1 new.csv")

    from ..data.files import encode_rows
    from ..tracking.runs import download_model, find

    run = find(asked.run)
    if run.tags.get("whyfit.model") != "mlp":
        raise UserError(f"RUN must be a run with a dense network, got {asked.run!r}")
    model, metadata = import_quietly("..tracking.model").load_model(download_model(run))
    x = encode_rows(Path(asked.new), metadata["reader"])
    text = _csv(_names(Path(asked.new), metadata["reader"], len(x)), model.predict(x, verbose=0), metadata)
    if asked.out:
        state.write(Path(asked.out), text.encode())
    else:
        sys.stdout.write(text)
    return 0


def _names(source: Path, reader: dict[str, Any], count: int) -> list[str]:
    """What tells an example apart: its file, or its row, counted from 1."""
    if reader["kind"] != "pictures" or source.suffix == ".npz":
        return [str(row) for row in range(1, count + 1)]
    from ..data.pictures import picture_files

    return (
        [str(file.relative_to(source)) for file in picture_files(source)]
        if source.is_dir()
        else [source.name]
    )


def _csv(names: list[str], answers: Any, metadata: dict[str, Any]) -> str:
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator="\n").writerow
    classes = metadata["class_names"]
    if metadata["task"] == "regression":
        write(["example", "prediction"])
        for name, answer in zip(names, answers, strict=True):
            write([name, f"{answer[0]:.7g}"])
        return buffer.getvalue()
    write(["example", "prediction", *(f"probability {one}" for one in classes)])
    for name, answer in zip(names, answers, strict=True):
        probabilities = answer if metadata["task"] == "classification" else [1 - answer[0], answer[0]]
        best = max(range(len(classes)), key=probabilities.__getitem__)
        write([name, classes[best], *(f"{probability:.6f}" for probability in probabilities)])
    return buffer.getvalue()
