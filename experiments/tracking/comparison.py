"""MLflow's pages on which the trials of a search stand side by side."""

import json
from urllib.parse import quote, urlencode

from ..errors import UserError
from .runs import find
from .store import client, default_uri

BEST = 12
"""Trials that are shown in full."""


def charts_page(address: str, search: str) -> str:
    """All trials of a search, the best first, with charts of their curves and settings.

    Args:
        address: Where MLflow's pages are.
        search: The search's name.
    """
    run_id, experiment = _parent(search)
    query = {
        "searchFilter": _trials_of(run_id),
        "orderByKey": "metrics.`score`",
        "orderByAsc": "false",
        "compareRunsMode": "CHART",
    }
    return f"{address}/#/experiments/{experiment}/runs?{urlencode(query, quote_via=quote)}"


def best_trials_page(address: str, search: str) -> str:
    """The best trials of a search compared: parallel coordinates, scatter, settings and metrics."""
    run_id, experiment = _parent(search)
    order = ["metrics.`score` DESC"]
    best = client(default_uri()).search_runs(
        [experiment], _trials_of(run_id), order_by=order, max_results=BEST
    )
    query = {"runs": json.dumps([run.info.run_id for run in best]), "experiments": json.dumps([experiment])}
    return f"{address}/#/compare-runs?{urlencode(query, quote_via=quote)}"


def _trials_of(run_id: str) -> str:
    return f"tags.mlflow.parentRunId = '{run_id}' AND tags.`whyfit.role` = 'trial'"


def _parent(search: str) -> tuple[str, str]:
    """Ids of the search's run and of its MLflow experiment."""
    run = find(search)
    if run.tags.get("whyfit.kind") != "search":
        raise UserError(f"--compare must be the name of a search, got {search!r}")
    return run.id, client(default_uri()).get_run(run.id).info.experiment_id
