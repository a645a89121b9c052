"""A busy town and its data, gathered once."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from configs.schema import Municipality
from pipelines.report.data import ReportData
from pipelines.report.gather import gather
from pipelines.report.page import render
from tests.unit.report.town import RUN, Town, busy_town, taxonomy


@pytest.fixture(scope="session")
def busy() -> Town:
    return busy_town()


@pytest.fixture(scope="session")
def busy_engine(busy: Town, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return busy.engine(tmp_path_factory.mktemp("busy") / "town.db")


@pytest.fixture(scope="session")
def busy_data(busy: Town, busy_engine: Engine) -> ReportData:
    return gather(busy_engine, RUN, open_to_all(busy), taxonomy())


@pytest.fixture(scope="session")
def busy_page(busy_data: ReportData) -> str:
    return render(busy_data, "es")


@pytest.fixture
def gathered(tmp_path: Path):
    """Return what a town's run gathers; no cell is hidden if not said."""

    def of(town: Town, k: int = 1) -> ReportData:
        return gather(town.engine(tmp_path / "town.db"), town.run, open_to_all(town, k), taxonomy())

    return of


def open_to_all(town: Town, k: int = 1) -> Municipality:
    return town.town.model_copy(update={"suppress_below": k})
