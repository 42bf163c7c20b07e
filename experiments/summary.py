"""What a person reads when a run has ended."""

from collections.abc import Iterator

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
COLUMNS = {
    "best/epoch": "best epoch",
    "best/val/loss": "val loss",
    "test/loss": "test loss",
    "test/accuracy": "test accuracy",
    "test/r2": "test r2",
}


def print_summary(run: Run, results: list[Result], seconds: float) -> None:
    """Print final figures, the run's name and id, and what to type next."""
    console = Console(highlight=False)
    result = results[0]
    figures = Table.grid(padding=(0, 2))
    if len(results) == 1:
        for name, text in NAMES.items():
            if name in result.metrics:
                figures.add_row(text, _number(name, result.metrics[name]))
    else:
        console.print()
        console.print(_variants(results))
        console.print()
        console.print(_groups(results))
    figures.add_row("all, seconds", f"{seconds:.1f}")
    for name, run_id in dict.fromkeys((one.name, one.run_id) for one in results):
        figures.add_row("run", f"{name}  ({run_id or 'not in MLflow yet'})")
    console.print()
    console.print(figures)
    for line in _next(run, result):
        console.print(line, soft_wrap=True)


def _variants(results: list[Result]) -> Table:
    """A line a variant."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = [name for name in COLUMNS if name in results[0].metrics]
    for title in (*results[0].setting, *(COLUMNS[name] for name in names)):
        table.add_column(title.replace("_", " "), justify="right")
    for result in results:
        setting = [f"{value:g}" for value in result.setting.values()]
        table.add_row(*setting, *(_number(name, result.metrics[name]) for name in names))
    return table


def _groups(results: list[Result]) -> Table:
    """Means and 95 % intervals over the seeds of each setting."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = [name for name in COLUMNS if name in results[0].metrics and name != "best/epoch"]
    swept = [name for name in results[0].setting if name != "seed"]
    for title in (*swept, "seeds", *(f"{COLUMNS[name]}, 95 %" for name in names)):
        table.add_column(title.replace("_", " "), justify="right")
    for setting, group in _by_setting(results, swept):
        intervals = [_interval(name, [result.metrics[name] for result in group]) for name in names]
        table.add_row(*(f"{value:g}" for value in setting), str(len(group)), *intervals)
    return table


def _by_setting(results: list[Result], swept: list[str]) -> Iterator[tuple[tuple[float, ...], list[Result]]]:
    settings = [tuple(result.setting[name] for name in swept) for result in results]
    for setting in dict.fromkeys(settings):
        yield setting, [result for result, other in zip(results, settings, strict=True) if other == setting]


def _interval(name: str, values: list[float]) -> str:
    """Mean and half the width of Student's interval."""
    from scipy import stats

    mean = sum(values) / len(values)
    if len(values) == 1:
        return _number(name, mean)
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return f"{_number(name, mean)} ± {_number(name, half)}"


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
