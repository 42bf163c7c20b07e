"""The wheel, installed beside a program that has models and callbacks of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = """
import models, callbacks
assert models.__file__.startswith({here!r}) and callbacks.__file__.startswith({here!r})
from whyfit.models import AdditionRNNConfig, build_addition_rnn
from whyfit.callbacks import ShowProgress
from whyfit.experiments import recipes
import whyfit.models
assert whyfit.models.__file__.startswith({site!r}), whyfit.models.__file__
model = build_addition_rnn(AdditionRNNConfig(units=4), question_length=7, answer_length=4, characters=12)
print(model.count_params(), recipes.addition().epochs, ShowProgress.__name__)
"""


@pytest.mark.slow
def test_the_wheel_works_beside_folders_of_the_same_names(tmp_path: Path) -> None:
    site, here = tmp_path / "site", tmp_path / "program"
    here.mkdir()
    for name in ("models", "callbacks"):
        (here / f"{name}.py").write_text("")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(tmp_path), str(ROOT)], check=True)
    [wheel] = tmp_path.glob("whyfit-*.whl")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(install, check=True)
    (here / "program.py").write_text(PROGRAM.format(here=str(here), site=str(site)))
    # The site's folder goes before the checkout, which an editable install would otherwise put there.
    code = f"import sys; sys.path[:0] = [{str(here)!r}, {str(site)!r}]; "
    code += "sys.meta_path[:] = [finder for finder in sys.meta_path if 'editable' not in repr(finder)]; "
    code += f"exec(open({str(here / 'program.py')!r}).read())"
    done = subprocess.run([sys.executable, "-c", code], cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["476", "9", "ShowProgress"]
