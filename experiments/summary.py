"""What a person reads when a run has ended."""

from rich.console import Console
from rich.table import Table

from .config import Run
from .data.config import AdditionsConfig
from .result import Result

NAMES = {
    "test/exact_match": "test exact match (whole answers right)",
    "test/accuracy": "test accuracy",
    "test/r2": "test r2 (share of variance explained)",
    "test/mean_absolute_error": "test mean absolute error",
    "test/loss": "test loss",
    "best/val/loss": "validation loss, best epoch",
    "best/epoch": "best epoch",
    "time/training": "training, seconds",
}


def print_summary(run: Run, results: list[Result], seconds: float) -> None:
    """Print final figures, the run's name and id, and what to type next."""
    console = Console(highlight=False)
    for result in results:
        table = Table.grid(padding=(0, 2))
        for name, text in NAMES.items():
            if name in result.metrics:
                table.add_row(text, _number(name, result.metrics[name]))
        table.add_row("all, seconds", f"{seconds:.1f}")
        table.add_row("run", f"{result.name}  ({result.run_id or 'not in MLflow yet'})")
        console.print()
        console.print(table)
        for line in _next(run, result):
            console.print(line, soft_wrap=True)


def _next(run: Run, result: Result) -> list[str]:
    lines = []
    if result.status != "FINISHED":
        lines.append(f"\n{result.reason}; to go on:  whyfit train {run.recipe} --name {result.name}")
    if not result.delivered:
        lines.append("\nMLflow has not got everything yet; to deliver the rest:  whyfit sync")
    if result.status == "FINISHED" and isinstance(run.data, AdditionsConfig):
        lines.append('\nnext:  make ask Q="535+61"    make ui')
    elif result.status == "FINISHED":
        lines.append(f"\nnext:  whyfit predict {result.name} NEW    make ui")
    return lines


def _number(name: str, value: float) -> str:
    if name.endswith(("accuracy", "exact_match")):
        return f"{value:.2%}"
    return f"{value:,.0f}" if name == "best/epoch" or abs(value) >= 1_000 else f"{value:.4g}"
