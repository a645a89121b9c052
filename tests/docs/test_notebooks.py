"""Every notebook runs from the first cell to the last on a small database."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from models.records import Stage, State
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Classified, Partition, Store
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    answer,
    at,
    begun,
    municipality,
    said,
)

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
ATE = municipality(feeds=("diario",), code="ate")
SAID = {"transport": 12, "waste": 6, "security": 2}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty texts of March, read whole and counted by one run."""
    url = f"sqlite:///{tmp_path / 'notebook.db'}"
    monkeypatch.setenv("MANIFIESTA_DATABASE_URL", url)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    engine = open_engine(url)
    migrate(engine)
    store = Store(engine)
    run_id = begun(store, ATE)
    labels = [category for category, count in SAID.items() for _ in range(count)]
    items = [
        said(i, f"Texto {i}", when=at(1 + i), municipality="ate") for i, _ in enumerate(labels)
    ]
    store.save_collected(run_id, ATE, "diario", items)
    store.save_classifications(
        TAXONOMY,
        [Classified(t.id, t.text_hash, answer(c)) for t, c in zip(items, labels, strict=True)],
    )
    store.save_partitions(
        run_id, [Partition("diario", day, Stage.COLLECT, State.DONE, 1) for day in MARCH.days]
    )
    aggregate(store, Counted(run_id, ATE, MARCH, MODEL, TAXONOMY), {})
    engine.dispose()


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_to_the_end_and_draws_what_was_counted(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error"] == []
    charts = [chart for output in outputs if (chart := _chart(output))]
    assert charts
    rows = [row for data in charts[0]["datasets"].values() for row in data]
    assert {row["category"]: row["count"] for row in rows} == SAID
    assert {row["share"] for row in rows} == {0.6, 0.3, 0.1}


def test_notebooks_are_kept_without_their_outputs() -> None:
    assert NOTEBOOKS
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert not any(cell.get("outputs") for cell in cells)


def _chart(output: nbformat.NotebookNode) -> dict | None:
    """Return the Vega-Lite specification in an output's page, if it draws one."""
    page = output.get("data", {}).get("text/html", "")
    start = page.find('{"config"')
    return json.JSONDecoder().raw_decode(page[start:])[0] if "vega" in page and start > 0 else None
