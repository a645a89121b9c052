"""The town read again: what an unchanged one costs, what is marked when it changes, and that the
archive gives the same rows for every source."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine

from configs.load import load_municipality
from configs.schema import Municipality
from crawlers.sandbox.items import Item
from crawlers.sandbox.pages import Pages
from crawlers.sandbox.server import TownServer, town_server
from crawlers.sandbox.town import Town, build_town, window_of
from crawlers.sandbox.truth import truth
from models.records import State
from models.tables import ManifestationRow, RejectionRow, RevisionRow, RunRow, SeenRow
from pipelines.collect import Collected, known_of, read_source, store_crawl
from pipelines.privacy import Pseudonymiser
from pipelines.replay import replay_source, store_replay
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import RunStart, Store
from tests.unit.store.builders import rows

CHANGING = ("muro-huaycan", "debate-ate", "foro-vitarte", "telegram-ate", "participa-ate")
WINDOW = window_of()
SECRET = Pseudonymiser("sandbox", b"a secret of sixteen")


@pytest.fixture(scope="module")
def server() -> Iterator[TownServer]:
    server = town_server(port=0)
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("again")


@pytest.fixture(scope="module")
def engine(folder: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{folder / 'manifiesta.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


class Reader:
    """Runs over some of the town's sources, and what each cost."""

    def __init__(self, server: TownServer, engine: Engine, folder: Path) -> None:
        self.place: Municipality = load_municipality("sandbox").with_base_url(server.base_url)
        self.store, self.archive = Store(engine), folder / "archive"
        self.collected: dict[str, Collected] = {}

    def read(self) -> dict[str, int]:
        """Read every source, and return how many answers each gave beside its robots.txt."""
        start = RunStart("run", WINDOW, "2026.1", "0.1.0")
        run_id, asked = self.store.begin_run(self.place, start), {}
        for source in self.place.sources:
            if source.url is None:
                continue  # an upload
            known = known_of(self.store, self.place, source, WINDOW)
            result = read_source(self.place, source, self.archive, "0.1.0", known, WINDOW)
            assert result.finished, result.reason
            asked[source.name] = sum(
                not each.url.endswith("/robots.txt") for each in result.captures
            )
            self.collected[source.name] = store_crawl(
                self.store, run_id, self.place, source, WINDOW, SECRET, result
            )
        return asked


def changed(town: Town) -> Town:
    """Take away one opener of each source and one answer, and edit one opener of each."""
    items: list[Item] = []
    by_source = {name: [i for i in town.items if i.site.name == name] for name in CHANGING}
    for item in town.items:
        own = by_source.get(item.site.name, [])
        alone = [each for each in own if not each.remarks]
        talked = [each for each in own if each.remarks]
        if own and item is (alone or talked)[-1]:
            continue  # the newest that nobody answered
        if talked and item is talked[-1]:
            left = tuple(each for each in item.remarks if each is not _last_leaf(item))
            item = replace(item, remarks=left)  # noqa: PLW2901 - what is left of it
        items.append(item)
    return replace(town, items=tuple(items))


def _last_leaf(item: Item) -> object:
    parents = {each.text.parent for each in item.remarks}
    return next(each for each in reversed(item.remarks) if each.text.id not in parents)


def said(server: TownServer, town: Town) -> set[tuple[str, str]]:
    return {
        (row.source, row.external_id)
        for row in truth(base_url=server.base_url, town=town)
        if row.source in CHANGING
    }


@pytest.fixture(scope="module")
def _token() -> Iterator[None]:
    """Have what the town's platforms ask for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANIFIESTA_SANDBOX_TOKEN", "pueblo-simulado")
        yield


@pytest.fixture(scope="module")
def reader(server: TownServer, engine: Engine, folder: Path, _token: None) -> Reader:
    return Reader(server, engine, folder)


def replayed(place: Municipality, archive: Path, engine: Engine) -> dict[str, Collected]:
    """Store in another database what the archive holds of every source."""
    store = Store(engine)
    run_id = store.begin_run(place, RunStart("replay", WINDOW, "2026.1", "0.1.0"))
    told = {}
    for path in sorted((archive / place.code).iterdir()):
        source = place.source(path.name)
        assert source is not None
        crawls = replay_source(place, source, archive, WINDOW, "0.1.0")
        told[source.name] = store_replay(store, run_id, place, source, WINDOW, SECRET, crawls)
    return told


def rejections(engine: Engine) -> Counter[tuple[str, ...]]:
    """Count what was not stored, whichever run met it."""
    names = ("source", "outcome", "place", "detail")
    return Counter(tuple(row[name] for name in names) for row in rows(engine, RejectionRow))


def test_a_second_run_costs_little_a_third_marks_what_is_gone_and_a_replay_gives_the_same(
    reader: Reader, server: TownServer, engine: Engine, sqlite_engine: Engine
) -> None:
    town = build_town(2021)
    first = reader.read()
    second = reader.read()

    cost = sum(second[name] for name in CHANGING) / sum(first[name] for name in CHANGING)
    assert cost <= 0.10, (first, second)
    assert {one.saved.new + one.saved.changed + one.gone for one in reader.collected.values()} == {
        0
    }

    later = changed(town)
    server.pages = Pages(later)
    reader.read()

    stored = rows(engine, ManifestationRow)
    gone = {(row["source"], row["external_id"]) for row in stored if row["gone_at"] is not None}
    assert gone == said(server, town) - said(server, later)
    assert {name for name, _ in gone} == set(CHANGING)
    assert rows(engine, RevisionRow) == []

    reader.read()
    assert rows(engine, ManifestationRow) == stored

    again = replayed(reader.place, reader.archive, sqlite_engine)
    assert {one.state for one in again.values()} == {State.DONE}
    assert set(again) == set(reader.collected)
    assert rows(sqlite_engine, ManifestationRow) == stored
    assert rows(sqlite_engine, SeenRow) == rows(engine, SeenRow)
    assert rejections(sqlite_engine) == rejections(engine)

    server.pages = Pages(town)
    reader.read()
    assert all(row["gone_at"] is None for row in rows(engine, ManifestationRow))
    assert len(rows(engine, RunRow)) == 5
