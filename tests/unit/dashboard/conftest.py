"""The dashboard over the report's busy town, asked without a socket."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from dashboard.app import create_app
from models.views import create_views
from pipelines.searching import index_texts
from tests.unit.report.town import Town, busy_town


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation's folder with the invented municipality."""
    folder = tmp_path_factory.mktemp("municipalities")
    values = busy_town(0).town.model_dump(mode="json", exclude_unset=True)
    values["base_url"] = "https://example.pe"
    (folder / "sandbox.yml").write_text(yaml.safe_dump(values, allow_unicode=True), "utf-8")
    return folder


def opened(town: Town, path: Path) -> Engine:
    """Write a town into a database with views, ready to be searched."""
    engine = town.engine(path)
    with engine.begin() as connection:
        create_views(connection)
    index_texts(engine, town.town.code)
    return engine


@pytest.fixture(scope="session")
def visit(own: Path, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Whoever sits at the machine, before a busy town."""
    engine = opened(busy_town(), tmp_path_factory.mktemp("dashboard") / "town.db")
    return TestClient(create_app(engine, own))


@pytest.fixture
def visiting(own: Path, tmp_path: Path) -> Callable[[Town], TestClient]:
    """Return a visitor of another town."""

    def of(town: Town) -> TestClient:
        return TestClient(create_app(opened(town, tmp_path / "other.db"), own))

    return of
