"""What a lesson is: a file in `experiments/lessons/`, read by its docstring until it is run."""

import ast
import hashlib
import importlib.metadata
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from whyfit.callbacks import config as callbacks_config
from whyfit.models import config as models_config

from ..config import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..verdict import Statement
    from .trained import Trained

FOLDER = Path(__file__).parents[1] / "lessons"
_HEAD = re.compile(r"make lesson NAME=(\S+)\s+(\S.*?), about (.+?) on 2 cores")
_PACKAGES = ("keras", "tensorflow", "numpy")
_CODE = [Path(models_config.__file__).parent, Path(callbacks_config.__file__).parent, FOLDER.parent]
_REPORT = Path(__file__).parent / "report"


@dataclass(frozen=True)
class Lesson:
    """A claim with the experiment that judges it.

    The file's docstring begins with the claim, and has a line `make lesson NAME=...  ROWS,
    about TIME on 2 cores`. The file has

    - `CLAIMS`: what is to be judged (see `verdict`), declared before anything trains;
    - `variants(full) -> dict[str, Run]`: networks to train, by name, each with its seeds; may be missing;
    - `measure(trained) -> dict[str, array]`: from what was trained to numbers; values a claim asks for stand
      under its key and under `KEY/control`, all others are for the picture;
    - `draw(measured) -> Figure`; its docstring says in a line what is to be seen;
    - `frames(measured) -> list[tuple[str, Figure]]`: what is to be seen at one time after another, each with
      a label such as "epoch 8"; of one small size, shown one at a time by a slider; may be missing.
    - `ALONE = True` where it measures seconds, so that the book runs nothing beside it;
    - `TEST_CURVES = True` where `history` is to have the test set's curves too, which nothing decides on.

    Attributes:
        name: On the command line.
        claim: In a line.
        rows: Of the list of claims, such as "B5".
        time: About how long it takes, in words.
        text: The docstring.
        picture: What `draw`'s picture shows, in a line.
        film: What `frames` show, in a line; empty where there are none.
    """

    name: str
    claim: str
    rows: str
    time: str
    text: str
    picture: str = ""
    film: str = ""

    @cached_property
    def module(self) -> ModuleType:
        """The lesson's code."""
        return import_module(f"..lessons.{self.name.replace('-', '_')}", __package__)

    @property
    def claims(self) -> "tuple[Statement, ...]":
        """What is to be judged."""
        return self.module.CLAIMS

    def variants(self, full: bool) -> dict[str, Run]:
        """What is to be trained, by name; `full`: the long parts, too."""
        make: Callable[[bool], dict[str, Run]] | None = getattr(self.module, "variants", None)
        return make(full) if make else {}

    @property
    def alone(self) -> bool:
        """Whether it measures seconds."""
        return getattr(self.module, "ALONE", False)

    @property
    def test_curves(self) -> bool:
        """Whether the test set is looked at after every epoch."""
        return getattr(self.module, "TEST_CURVES", False)

    @property
    def has_long_part(self) -> bool:
        """Whether the full book trains more for it."""
        return self.variants(True) != self.variants(False)

    def measure(self, trained: dict[str, "Trained"]) -> dict[str, Any]:
        """Numbers by name."""
        return self.module.measure(trained)

    def draw(self, measured: Mapping[str, Any]) -> "Figure":
        """The lesson's picture."""
        return self.module.draw(measured)

    def frames(self, measured: Mapping[str, Any]) -> "list[tuple[str, Figure]]":
        """The lesson's moving picture, frame by frame with labels; empty where it has none."""
        make: Callable[..., list[tuple[str, Figure]]] | None = getattr(self.module, "frames", None)
        return make(measured) if make else []

    def digest(self, full: bool, seeds: int = 0) -> str:
        """32 characters that change with all that decides the numbers: this code but the report's, the
        lesson's, the variants, the packages, and another number of seeds where one was asked for. A lesson
        without a long part has the same with and without `full`."""
        parts = [_code_without(FOLDER), path_of(self.name).read_text()]
        parts += [repr(self.variants(full)), str(seeds)]
        parts += [importlib.metadata.version(name) for name in _PACKAGES]
        return hashlib.blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


@lru_cache
def _code_without(lessons: Path) -> str:
    """All code that decides numbers, but for the lessons': the same for each of them."""
    left_out = {lessons, _REPORT}
    files = [path for folder in _CODE for path in sorted(folder.rglob("*.py"))]
    return "\n".join(path.read_text() for path in files if not left_out & set(path.parents))


def lessons() -> dict[str, Lesson]:
    """All lessons by name, in the order of their rows; nothing of them is run."""
    found = [_read(path) for path in FOLDER.glob("*.py") if path.stem != "__init__"]
    return {lesson.name: lesson for lesson in sorted(found, key=lambda one: _in_order(one.rows))}


def path_of(name: str) -> Path:
    """A lesson's file."""
    return FOLDER / f"{name.replace('-', '_')}.py"


def _read(path: Path) -> Lesson:
    code = ast.parse(path.read_text())
    text = ast.get_docstring(code) or ""
    head = _HEAD.search(text)
    name = path.stem.replace("_", "-")
    if head is None or head[1] != name:
        raise ValueError(f"{path} must have a line `make lesson NAME={name}  ROWS, about TIME on 2 cores`")
    shown = {one.name: ast.get_docstring(one) for one in code.body if isinstance(one, ast.FunctionDef)}
    picture, film = ((shown.get(name) or "").partition("\n")[0] for name in ("draw", "frames"))
    return Lesson(name, text.splitlines()[0], head[2].strip(), head[3], text, picture, film)


def _in_order(rows: str) -> list[Any]:
    """Letters, then numbers as numbers."""
    found = re.match(r"([A-Z]+)(\d+)", rows)
    return [found[1], int(found[2])] if found else ["~", 0]
