"""The wheel, installed beside a program that has models and callbacks of its own."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = """
import models, callbacks
assert models.__file__.startswith({here!r}) and callbacks.__file__.startswith({here!r})
from whyfit.models import AdditionRNNConfig, build_addition_rnn
from whyfit.callbacks import ShowProgress
from whyfit.experiments import recipes
from whyfit.experiments.book import report
from whyfit.experiments.book.lesson import lessons
import whyfit.models
assert whyfit.models.__file__.startswith({site!r}), whyfit.models.__file__
model = build_addition_rnn(AdditionRNNConfig(units=4), question_length=7, answer_length=4, characters=12)
assert report.write(lessons(), []).is_file()
print(model.count_params(), recipes.addition().epochs, ShowProgress.__name__)
"""


# A convolutional network as Keras's own guides have it, on scikit-learn's digits.
GUIDE = """
import keras, numpy as np
from sklearn.datasets import load_digits
pictures, y = load_digits(return_X_y=True)
pictures = pictures.reshape(-1, 8, 8, 1).astype("float32") / 16
labels = keras.utils.to_categorical(y)
x, x_val, y, y_val = pictures[:1500], pictures[1500:], labels[:1500], labels[1500:]
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.Conv2D(32, 3, activation="relu"),
    keras.layers.MaxPooling2D(2),
    keras.layers.Flatten(),
    keras.layers.Dropout(0.5),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(loss="categorical_crossentropy", optimizer={optimizer}, metrics=["accuracy"])
"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the wheel is installed into."""
    folder = tmp_path_factory.mktemp("wheel")
    # of a copy: setuptools builds inside the source, where another worker may be building
    unwanted = shutil.ignore_patterns(".*", "build", "mlruns", "*.egg-info", "__pycache__", "tests", "docs")
    shutil.copytree(ROOT, folder / "source", ignore=unwanted)
    pip = [sys.executable, "-m", "pip"]
    build = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*build, str(folder / "source")], check=True)
    [wheel] = folder.glob("whyfit-*.whl")
    subprocess.run(
        [*pip, "install", "--quiet", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True
    )
    return folder / "site"


def run(program: str, site: Path, here: Path) -> str:
    """What a program prints that has the wheel and not the checkout."""
    (here / "program.py").write_text(program)
    # The site's folder goes before the checkout, which an editable install would otherwise put there.
    code = f"import sys; sys.path[:0] = [{str(here)!r}, {str(site)!r}]; "
    code += "sys.meta_path[:] = [finder for finder in sys.meta_path if 'editable' not in repr(finder)]; "
    code += f"exec(open({str(here / 'program.py')!r}).read())"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_wheel_works_beside_folders_of_the_same_names(site: Path, tmp_path: Path) -> None:
    for name in ("models", "callbacks"):
        (tmp_path / f"{name}.py").write_text("")
    said = run(FOLDERS.format(here=str(tmp_path), site=str(site)), site, tmp_path)
    assert said.split() == ["476", "9", "ShowProgress"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "said"), [("'adam'", "Diagnosis: healthy."), ("keras.optimizers.SGD(1e-6)", "stagnating")]
)
def test_the_readmes_lines_work_on_somebody_elses_model(
    optimizer: str, said: str, site: Path, tmp_path: Path
) -> None:
    """As typed there, on a model that knows nothing of this project."""
    [lines] = re.findall(r"does not train\n\n((?:    .+\n)+)", (ROOT / "README.md").read_text())
    program = GUIDE.replace("{optimizer}", optimizer) + textwrap.dedent(lines)
    program += "import whyfit.callbacks\n"
    program += f"assert whyfit.callbacks.__file__.startswith({str(site)!r}), whyfit.callbacks.__file__\n"
    assert said in run(program, site, tmp_path)
