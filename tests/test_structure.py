"""How the rooms hang together: who may import whom, and what the command line must not load."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [path for folder in ("experiments", "models", "callbacks") for path in (ROOT / folder).rglob("*.py")]


def imported(path: Path) -> Iterator[str]:
    """Whole names of all that a file imports, relative ones resolved within whyfit."""
    package = ["whyfit", *path.relative_to(ROOT).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    names = set(imported(path))
    forbidden = {
        "models": ["callbacks", "experiments"],
        "callbacks": ["models", "experiments"],
        "experiments": [],
    }
    for other in forbidden[room]:
        assert not any(name.startswith(f"whyfit.{other}") for name in names)
    assert not any(name.startswith(f"whyfit.{room}") for name in names if "." not in _spelled(path, name))
    tops = {name.partition(".")[0] for name in names}
    if "tracking" not in path.parts:
        assert "mlflow" not in tops
    if "search" not in path.parts:
        assert "keras_tuner" not in tops


def _spelled(path: Path, name: str) -> str:
    """The name as it stands in the file; an import within a package is relative and starts with a dot."""
    absolute = f"from {name} " in path.read_text() or f"import {name}\n" in path.read_text()
    return "" if absolute and path.name != "__main__.py" else "."


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["train", "--help"],
        ["train", "addition", "--help"],
        ["search", "--help"],
        ["lesson"],
        ["search", "mlp", "--help"],
    ],
)
def test_help_loads_neither_tensorflow_nor_mlflow(arguments: list[str]) -> None:
    code = f"import sys; sys.argv[1:] = {arguments!r}\nfrom whyfit.experiments.__main__ import main\n"
    code += "try:\n    main()\nexcept SystemExit:\n    pass\n"
    code += "print(sorted({'tensorflow', 'keras', 'mlflow', 'numpy'} & set(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr == "[]\n"
    assert "whyfit" in done.stdout
