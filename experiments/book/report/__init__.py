"""The page of all verdicts: one HTML file that needs nothing but itself."""

from .render import write

__all__ = ["write"]
