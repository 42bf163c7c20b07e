"""Makes the README's pictures from a training of the recipe `addition`: python docs/pictures.py

`answers.svg` is what the terminal shows at epochs 2, 4 and 8; `learning_curves.png` is the run's own figure.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
SHOWN = ("epoch 2/", "epoch 4/", "epoch 8/")
COLOURS = {"✓": "green", "✗": "red"}


def main() -> None:
    """Train, and draw what was printed and what was kept."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"WHYFIT_MLRUNS": folder, "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-m", "whyfit.experiments", "train", "addition"]
        lines = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout.splitlines()
        [curves] = Path(folder).glob("artifacts/**/learning_curves.png")
        shutil.copy(curves, IMAGES)
    console = Console(record=True, width=72, file=io.StringIO())
    console.print("$ make train")
    for place, line in enumerate(lines):
        if line.startswith(SHOWN):
            for shown in lines[place : place + 7]:
                console.print(coloured(shown))
    # Without the fonts that rich's own format fetches from the network.
    form = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    console.save_svg(str(IMAGES / "answers.svg"), title="make train", code_format=form)


def coloured(line: str) -> Text:
    """The line with the answer coloured as on a terminal; colours do not go through a pipe."""
    text = Text(line)
    for mark, colour in COLOURS.items():
        if mark in line:
            text.stylize(colour, line.index(" A ") + 3)
    return text


if __name__ == "__main__":
    main()
