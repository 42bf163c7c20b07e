"""The workshop's notebook: committed with its outputs, and it runs as it stands."""

import json
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs/workshop.ipynb"


def test_the_workshop_is_committed_with_its_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 4
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert not re.search(r"/(tmp|root|home|work)/", json.dumps(outputs))
    text = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert text.count("**Exercise") == text.count("<details>") == text.count("</details>")


@pytest.mark.slow
def test_the_workshop_runs_from_start_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("WHYFIT_MLRUNS", str(tmp_path))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    NotebookClient(notebook, timeout=1200, kernel_name="python3", resources=where).execute()
    assert "right" in "".join(
        output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])
    )
