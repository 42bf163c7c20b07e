"""What is kept of a lesson between commands, under `mlruns/lessons/`: its verdicts and its picture."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .. import state
from ..run_folder import runs_root
from ..verdict import DENIED, HOLDS, OPEN, SHOWN, Verdict

PART = "holds in part"
"""What comes of a lesson some of whose statements hold and others do not, or are open."""
_WEAKEST_FIRST = (DENIED, OPEN, HOLDS, SHOWN)


@dataclass(frozen=True)
class Page:
    """A lesson as it came out.

    Attributes:
        name, claim, rows: The lesson's.
        rules: What each statement was judged by.
        verdicts: One a statement.
        seconds: What the whole lesson took.
        run: Its run's name, in MLflow too.
        commit: Of the code.
        digest: See `Lesson.digest`.
        full: With its long part.
        frames: Labels of its moving picture, in order; empty where it has none.
    """

    name: str
    claim: str
    rows: str
    rules: list[str]
    verdicts: list[Verdict]
    seconds: float
    run: str
    commit: str
    digest: str
    full: bool
    frames: list[str] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """What came of the whole: what all statements came to, or the weakest of them where none holds."""
        weakest = self.decisive.outcome
        some = any(one.outcome == HOLDS for one in self.verdicts)
        return PART if some and weakest in (DENIED, OPEN) else weakest

    @property
    def decisive(self) -> Verdict:
        """The weakest of its statements: the first that does not hold, else the first that is open."""
        return min(self.verdicts, key=lambda one: _WEAKEST_FIRST.index(one.outcome))

    @property
    def picture(self) -> Path:
        """Where it is drawn."""
        return folder() / f"{self.name}.png"

    @property
    def frame_files(self) -> list[Path]:
        """Where its moving picture is drawn, a file a label."""
        return [folder() / f"{self.name}.{place}.png" for place in range(len(self.frames))]

    def write(self) -> None:
        """Keep it."""
        state.write_json(folder() / f"{self.name}.json", asdict(self))


def folder() -> Path:
    """Where pages are kept."""
    path = runs_root() / "lessons"
    path.mkdir(parents=True, exist_ok=True)
    return path


def read(name: str) -> Page | None:
    """A lesson's page, or None where it has not been run."""
    kept: dict[str, Any] | None = state.read_json(folder() / f"{name}.json")
    if kept is None:
        return None
    return Page(**kept | {"verdicts": [Verdict(**one) for one in kept["verdicts"]]})


def pages(names: list[str]) -> Iterator[Page]:
    """The pages that there are, in the order of the names."""
    for name in names:
        if page := read(name):
            yield page
