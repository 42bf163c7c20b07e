"""Pictures that stand in the page itself."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image


@dataclass(frozen=True)
class Embedded:
    """A picture for an `img` element: its source and its size in pixels."""

    source: str
    width: int
    height: int


def embed(path: Path) -> Embedded:
    """A PNG with a palette of 256 colours: a third of the size of a drawing in all colours.

    Colours are chosen by maximum coverage, which keeps thin lines' colours; of the book's drawings no pixel
    changes by more than 18 of 255, where the median cut changes some by 75.
    """
    with Image.open(path) as file:
        drawing = Image.new("RGBA", file.size, "white")
        drawing.alpha_composite(file.convert("RGBA"))
    small = drawing.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    content = io.BytesIO()
    small.save(content, "PNG", optimize=True)
    source = f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
    return Embedded(source, *drawing.size)
