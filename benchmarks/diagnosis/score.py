"""Scores rules on kept measurements: recall, precision, false alarms, with Wilson intervals."""

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from whyfit.callbacks.diagnosis import HEALTHY, NAMES, UNDETERMINED, Measurements, diagnose
from whyfit.callbacks.diagnosis.case import Case

from .blind.program import Blind
from .corpus import programs
from .program import Program
from .published import CREDIT, TOOLS

TRAINS = 0.35
"""Skill on validation examples that a program without its fault must reach."""
HOLDS = 0.75
"""Share of its skill on training examples that a program labelled healthy must reach on others."""


@dataclass(frozen=True)
class Row:
    """A kept run.

    Attributes:
        program: What was trained.
        seed: Its seed.
        faulty: Whether its fault is in it.
        label: What is wrong with it; "healthy" where its fault is left out.
        measurements: Of the run.
    """

    program: Program | Blind
    seed: int
    faulty: bool
    label: str
    measurements: Measurements


def rows(folder: Path, only: str = "") -> list[Row]:
    """All runs that are kept, each once."""
    found, cured = [], set()
    for program in programs():
        for seed in range(20):
            path = folder / f"{program.file(seed, True)}.npz"
            if only in program.name and path.exists():
                found.append(Row(program, seed, True, program.label, Measurements.load(path)))
            name = program.file(seed, False)
            path = folder / f"{name}.npz"
            if program.label != HEALTHY and only in program.name and name not in cured and path.exists():
                cured.add(name)
                found.append(Row(program, seed, False, HEALTHY, Measurements.load(path)))
    return found


def unsettled(folder: Path) -> dict[str, str]:
    """Programs whose label the intervention does not bear out, and why: their runs are not scored."""
    found: dict[str, str] = {}
    skills: dict[str, list[float]] = {}
    trained: dict[str, list[float]] = {}
    for program in programs():
        for faulty in (True, False):
            for seed in range(20):
                path = folder / f"{program.file(seed, faulty)}.npz"
                if path.exists():
                    case = Case(Measurements.load(path))
                    if case.unknown and np.isfinite(case.last_loss):
                        continue  # a loss of which no constant's is known: its author's word counts
                    val = (
                        case.val_reached
                        if np.isfinite(case.val_skill).any() or not np.isfinite(case.reached)
                        else case.reached
                    )
                    if val > 1.05:
                        continue  # better than perfect: outputs that the loss is not made for
                    kept = skills.setdefault(f"{program.name} {faulty}", [])
                    kept.append(float(val) if np.isfinite(val) else -np.inf)
                    if faulty:
                        trained.setdefault(program.name, []).append(case.reached)
        with_fault, without = (skills.get(f"{program.name} {faulty}", []) for faulty in (True, False))
        cured = with_fault if program.label == HEALTHY else without
        if (
            program.label == HEALTHY
            and cured
            and np.median(cured) < HOLDS * np.median(trained.get(program.name, [0.0]))
        ):
            found[program.name] = f"is no healthy one: skill {np.median(cured):.2f} on others' examples"
        elif cured and np.median(cured) < TRAINS:
            found[program.name] = f"does not train without its fault either (skill {np.median(cured):.2f})"
        elif program.label != HEALTHY and with_fault and without and _same(program, with_fault, without):
            found[program.name] = (
                f"trains with its fault, too (skill {np.median(with_fault):.2f} and {np.median(without):.2f})"
            )
    return found


def _same(program: Program | Blind, with_fault: list[float], without: list[float]) -> bool:
    """Whether the fault does no harm: a fifth of the skill, but for one that leaves a layer out of the
    learning."""
    if program.label == "frozen":
        return False
    return float(np.median(with_fault)) > 0.8 * float(np.median(without))


def score(folder: Path, only: str, *, held_out: bool) -> None:
    """Print what is misjudged, and the tables.

    Args:
        folder: Of the runs.
        only: Part of the names of the programs.
        held_out: Whether what is held out is shown run by run, and not in the tables alone.
    """
    warnings.simplefilter("ignore", RuntimeWarning)
    left_out = unsettled(folder)
    for name, why in left_out.items():
        print(f"not scored: {name} {why}")
    every = [
        row
        for row in rows(folder, only)
        if row.program.name not in left_out or (not row.faulty and row.label == HEALTHY)
    ]
    every = [row for row in every if row.faulty or row.program.name not in left_out]
    said = {id(row): diagnose(row.measurements).name for row in every}
    for row in every:
        if said[id(row)] != row.label and (held_out or row.program.held_out not in ("fresh", "blind")):
            _print_wrong(row)
    parts = {
        "tuned on": [row for row in every if not row.program.held_out],
        "second set": [row for row in every if row.program.held_out == "second"],
        "fresh": [row for row in every if row.program.held_out == "fresh"],
        "blind": [row for row in every if row.program.held_out == "blind"],
        "all": every,
    }
    print(
        "\n| | programs | runs | right names (recall) | precision | false alarms, healthy runs "
        "|\n|---|---|---|---|---|---|"
    )
    for part, chosen in parts.items():
        if chosen:
            _print_line(
                f"whyfit, {part}", chosen, [({said[id(row)]} - {HEALTHY, UNDETERMINED}) for row in chosen]
            )
    for name, tool in TOOLS.items():
        for part in ("fresh", "blind", "all"):
            symptoms = [tool(Case(row.measurements))[:1] for row in parts[part]]
            if parts[part]:
                _print_line(
                    f"{name}, {part}",
                    parts[part],
                    [set(CREDIT[one[0]]) if one else set() for one in symptoms],
                )
    _print_spoken([row for row in every if row.label == HEALTHY])
    _print_confusion(every, said)
    for part in ("fresh", "blind"):
        if parts[part]:
            print(f"\n{part} alone:")
            _print_confusion(parts[part], said)


def _print_line(name: str, chosen: list[Row], named: list[set[str]]) -> None:
    faulty = [(row, names) for row, names in zip(chosen, named, strict=True) if row.label != HEALTHY]
    healthy = [names for row, names in zip(chosen, named, strict=True) if row.label == HEALTHY]
    right = sum(row.label in names for row, names in faulty)
    spoken = sum(bool(names) for names in named)
    alarms = sum(bool(names) for names in healthy)
    count = len({row.program.name for row in chosen})
    cells = [_share(right, len(faulty)), _share(right, spoken), _share(alarms, len(healthy))]
    print(f"| {name} | {count} | {len(chosen)} | {' | '.join(cells)} |")


def _print_spoken(healthy: list[Row]) -> None:
    """What was named at any epoch of a healthy run: a user reads it, whatever is said at the end."""
    named = [_named_on_the_way(row.measurements) for row in healthy]
    print(f"\nNamed at some epoch of a healthy run: {_share(sum(map(bool, named)), len(named))}")
    for row, names in zip(healthy, named, strict=True):
        if names:
            print(f"  {row.program.name}{'' if row.faulty else ' CURED'}+{row.seed}: {names}")


def _named_on_the_way(measurements: Measurements) -> dict[str, int]:
    """The first epoch of each root that was named."""
    found: dict[str, int] = {}
    for epoch in range(1, measurements.epochs + 1):
        found.setdefault(diagnose(measurements.until(epoch)).name, epoch)
    return {name: epoch for name, epoch in found.items() if name not in (HEALTHY, UNDETERMINED)}


def _share(part: int, n: int) -> str:
    if not n:
        return ""
    low, high = wilson(part, n)
    return f"{part}/{n} = {100 * part / n:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _print_confusion(chosen: list[Row], said: dict[int, str]) -> None:
    counts = Counter((row.label, said[id(row)]) for row in chosen)
    print("\n| label | runs | said |\n|---|---|---|")
    for label in (*NAMES, HEALTHY):
        found = {name: n for (truth, name), n in counts.items() if truth == label}
        if found:
            told = ", ".join(f"{name} {n}" for name, n in sorted(found.items(), key=lambda one: -one[1]))
            print(f"| {label} | {sum(found.values())} | {told} |")


def _print_wrong(row: Row) -> None:
    case, said = Case(row.measurements), diagnose(row.measurements)
    print(
        f"{row.program.held_out[:1] or ' '} {row.program.name}{'' if row.faulty else ' CURED'}+{row.seed}: "
        f"{said.name} [{', '.join(one.name for one in said.findings)}] skill {case.reached:.2f} val "
        f"{case.val_reached:.2f} reference {case.reference:.2f} gain {case.gain:.3f}"
    )


def wilson(right: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    p = right / n
    middle, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return max(0.0, float((middle - half) / (1 + z * z / n))), float((middle + half) / (1 + z * z / n))


def show(folder: Path, only: str) -> None:
    """Print diagnoses of the runs with some of what they rest on."""
    np.set_printoptions(precision=3, suppress=False, linewidth=150)
    warnings.simplefilter("ignore", RuntimeWarning)
    for row in rows(folder, only):
        case, said = Case(row.measurements), diagnose(row.measurements)
        print(f"== {row.program.name} seed {row.seed} {'faulty' if row.faulty else 'cured'}\n{said.report}")
        print("   skill", case.skill[-12:], "val", case.val_skill[-12:], "stuck", case.stuck, case.improving)
        print("   loss", case.train_loss[-8:], case.val_loss[-8:], "baseline", case.baseline[-1])
        print("   moved", case.moved, "ratio", case.last("update_ratio"))
        print("   dead", case.last("dead_units"), "saturated", case.last("saturated_share"))
        print("   gradient", case.last("gradient_norm"), "at first", case.at_start("gradient_norm"))
