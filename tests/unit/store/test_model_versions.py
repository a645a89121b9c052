"""What a model said of itself when it counted: kept once, and not overwritten by other weights."""

import logging

import pytest

from models.tables import RunRow
from nlp.manifest import SHIPPED, Manifest, read_manifest
from pipelines.report.gather import gather_figures
from pipelines.store.model_versions import keep_model, kept_models
from pipelines.store.write import Store
from tests.unit.report.town import taxonomy
from tests.unit.store.builders import begun, municipality, rows

VERSION = "manifiesta-0.1"
THEN = read_manifest(SHIPPED).model_dump(mode="json")


def test_a_manifest_comes_back_as_it_was_read(store: Store) -> None:
    keep_model(store.engine, VERSION, THEN)
    keep_model(store.engine, VERSION, THEN)

    (found,) = kept_models(store.engine)

    assert found.licence == THEN["licence"]
    assert Manifest.model_validate(found.manifest) == read_manifest(SHIPPED)


def test_the_same_files_may_be_measured_later(store: Store) -> None:
    keep_model(store.engine, VERSION, {**THEN, "measured": None})
    keep_model(store.engine, VERSION, THEN)

    assert kept_models(store.engine)[0].manifest["measured"] == THEN["measured"]


def test_other_files_under_the_same_name_are_told_and_not_kept(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    keep_model(store.engine, VERSION, THEN)
    with caplog.at_level(logging.WARNING):
        keep_model(store.engine, VERSION, {**THEN, "files": {"model.safetensors": "0" * 64}})

    assert kept_models(store.engine)[0].manifest["files"] == THEN["files"]
    assert "name it anew" in caplog.text


def test_a_run_is_told_with_the_model_that_counted_it(store: Store) -> None:
    place, run = municipality(), begun(store)
    store.set_model(run, VERSION)
    assert gather_figures(store.engine, run, place, taxonomy()).manifest is None

    keep_model(store.engine, VERSION, THEN)

    assert [row["model_version"] for row in rows(store.engine, RunRow)] == [VERSION]
    assert gather_figures(store.engine, run, place, taxonomy()).manifest == THEN
