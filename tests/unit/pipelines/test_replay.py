"""Runs over a site that changes: what they cost, and that the archive gives the same again."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from configs.schema import Municipality, Source
from crawlers.archive import Archive, Response
from crawlers.index import archived_crawls
from models.errors import StoreError
from models.records import State, Window
from models.tables import (
    CaptureRow,
    ManifestationRow,
    PartitionRow,
    RevisionRow,
    SeenRow,
    ValidatorRow,
)
from pipelines.collect import Collected, known_of, read_source, store_crawl
from pipelines.privacy import Pseudonymiser
from pipelines.replay import NOTHING, Replayed, replay_source, store_replay
from pipelines.store.crawled import source_health
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Store
from tests.unit.crawlers.conftest import Site, item, rss, send
from tests.unit.store.builders import LIMA, begun, municipality, rows

PAGES = Path(__file__).parents[2] / "pages"
ARTICLE = (PAGES / "article-with-comments" / "page.html").read_text()
SECRET = Pseudonymiser("villa", b"a secret of sixteen")
NEWEST = datetime(2025, 5, 20, 15, tzinfo=UTC)
MAY = Window(date(2025, 5, 1), date(2025, 6, 1), LIMA)
VERSION = "0.1.0"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def other_store(tmp_path: Path) -> Iterator[Store]:
    """Open a second, empty database."""
    engine = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
    migrate(engine)
    yield Store(engine)
    engine.dispose()


def reading(url: str, **about: Any) -> Municipality:
    """Return a municipality with one source, a feed of articles."""
    source = {
        "name": "diario",
        "title": "Diario",
        "protocol": "feed",
        "url": url,
        "allow_private": True,
        "limits": {"delay": 0, "timeout": 20, "max_seconds": 120},
    }
    only = Source.model_validate(source | about)
    return municipality().model_copy(update={"sources": (only,)})


def publish(site: Site, numbers: range, text: str = "") -> str:
    """Serve a feed of articles, one a day, with pages that know whether they have changed."""
    items = []
    for number in numbers:
        said = NEWEST - timedelta(days=20 - number)
        page = tagged(site, f"/nota/{number}", article(number, text))
        date_said = f"{said:%a, %d %b %Y %H:%M:%S +0000}"
        items.append(item(f"n{number}", f"Nota {number}", "Resumen.", page, date_said))
    return tagged(site, "/feed", rss(*reversed(items)))


def article(number: int, text: str) -> str:
    """Return a page that tells of that article, with comments of its own."""
    page = ARTICLE.replace("Más de doscientos vecinos", f"{text}Más de {number + 200} vecinos")
    return re.sub(r"comment-5(\d\d)", rf"comment-{number}5\1", page)


def tagged(site: Site, path: str, body: str) -> str:
    etag = f'"{hash(body)}"'

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            handler.send_response(304)
            handler.end_headers()
        else:
            send(handler, body.encode(), etag=etag)

    site.pages[path] = answer
    return f"{site.url}{path}"


def live(store: Store, place: Municipality, archive: Path, **about: Any) -> Collected:
    """Do what a monitoring run does with a source."""
    source = place.sources[0]
    result = read_source(place, source, archive, VERSION, known_of(store, place, source))
    return store_crawl(store, begun(store, place, MAY), place, source, MAY, SECRET, result)


def again(store: Store, place: Municipality, archive: Path, window: Window = MAY) -> Collected:
    source = place.sources[0]
    replayed = replay_source(place, source, archive, window, VERSION)
    run_id = begun(store, place, window)
    return store_replay(store, run_id, place, source, window, SECRET, replayed)


def manifestations(engine: Engine) -> list[dict[str, Any]]:
    return rows(engine, ManifestationRow)


def test_the_second_run_costs_a_handful_of_requests(
    site: Site, sqlite_engine: Engine, tmp_path: Path
) -> None:
    store = Store(sqlite_engine)
    place = reading(publish(site, range(1, 21)), follow=True, comments=True, revisit_days=2)
    first = live(store, place, tmp_path / "archive")
    at_first = len(site.asked)
    before = manifestations(sqlite_engine)
    site.asked.clear()

    second = live(store, place, tmp_path / "archive")

    assert at_first == 22  # robots.txt, the feed, and twenty pages
    assert sorted(site.paths) == ["/feed", "/nota/18", "/nota/19", "/nota/20", "/robots.txt"]
    assert first.saved.new == len(before) > 20
    assert (second.saved.new, second.saved.changed, second.saved.known) == (0, 0, 20)
    assert second.not_modified == 3
    assert second.state is State.DONE
    assert manifestations(sqlite_engine) == before
    assert source_health(sqlite_engine, "villa")["diario"].unchanged == 1


def test_an_unchanged_feed_without_comments_costs_two_requests(
    site: Site, sqlite_engine: Engine, tmp_path: Path
) -> None:
    store = Store(sqlite_engine)
    place = reading(publish(site, range(1, 6)), follow=True)
    live(store, place, tmp_path / "archive")
    site.asked.clear()

    second = live(store, place, tmp_path / "archive")

    assert site.paths == ["/robots.txt", "/feed"]
    assert (second.state, second.not_modified, second.rejected) == (State.DONE, 1, 0)
    assert [row["url"] for row in rows(sqlite_engine, ValidatorRow)] == [f"{site.url}/feed"]


def test_a_run_that_missed_a_page_asks_for_it_again(
    site: Site, sqlite_engine: Engine, tmp_path: Path
) -> None:
    store = Store(sqlite_engine)
    place = reading(publish(site, range(1, 4)), follow=True)
    serve = site.pages["/nota/2"]
    site.page("/nota/2", "roto", status=500)
    live(store, place, tmp_path / "archive")
    assert rows(sqlite_engine, ValidatorRow) == []
    assert len(rows(sqlite_engine, SeenRow)) == 2
    site.pages["/nota/2"] = serve
    site.asked.clear()

    second = live(store, place, tmp_path / "archive")

    assert site.paths == ["/robots.txt", "/feed", "/nota/2"]
    assert second.saved.changed == 1
    assert len(rows(sqlite_engine, ValidatorRow)) == 1


def test_a_kill_before_the_records_are_stored_loses_nothing(
    site: Site, sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(sqlite_engine)
    place = reading(publish(site, range(1, 4)), follow=True)

    def killed(*_: Any) -> None:
        raise StoreError("se fue la luz")

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.store.collecting._upsert_validators", killed)
        with pytest.raises(StoreError):
            live(store, place, tmp_path / "archive")
    assert manifestations(sqlite_engine) == []
    assert rows(sqlite_engine, SeenRow) == []

    assert live(store, place, tmp_path / "archive").saved.new == 3


def test_the_archive_gives_the_rows_of_the_live_runs(
    site: Site, sqlite_engine: Engine, other_store: Store, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    store = Store(sqlite_engine)
    url = publish(site, range(1, 13))
    place = reading(url, follow=True, comments=True, revisit_days=2)
    live(store, place, archive)
    publish(site, range(5, 17))  # four new ones, four no longer listed
    publish(site, range(11, 17), text="Corregido: ")
    live(store, place, archive)
    live(store, place, archive)
    site.close()

    replayed = again(other_store, place, archive)

    found = manifestations(other_store.engine)
    assert found == manifestations(sqlite_engine)
    assert {row["external_id"] for row in found} >= {f"n{n}" for n in range(1, 17)}
    assert rows(other_store.engine, SeenRow) == rows(sqlite_engine, SeenRow)
    assert rows(other_store.engine, ValidatorRow) == []
    assert len(archived_crawls(archive, "villa", "diario")) == 3
    captures = [
        [{k: v for k, v in row.items() if k != "run_id"} for row in rows(engine, CaptureRow)]
        for engine in (other_store.engine, sqlite_engine)
    ]
    assert captures[0] == captures[1]
    assert (replayed.state, replayed.reason) == (State.DONE, None)
    assert source_health(other_store.engine, "villa") == {}

    in_place = again(store, place, archive)
    assert (in_place.state, in_place.saved.new, in_place.saved.changed) == (State.DONE, 0, 0)
    assert manifestations(sqlite_engine) == found


def test_a_feed_that_uses_its_ids_again_keeps_what_it_said_before(
    site: Site, sqlite_engine: Engine, other_store: Store, tmp_path: Path
) -> None:
    archive, store = tmp_path / "archive", Store(sqlite_engine)
    texts = ["Falta agua en la zona A", "Chocó una combi", "Se cayó un poste"]
    for text in texts:
        place = reading(site.page("/feed", rss(item("n1", text, text), item("n2", "Fijo", "Fijo"))))
        seen = live(store, place, archive)
        assert (seen.saved.new + seen.saved.changed, seen.rejected) == (1 + (text == texts[0]), 0)
    site.close()

    again(other_store, place, archive)

    for engine in (sqlite_engine, other_store.engine):
        assert {row["text"] for row in manifestations(engine)} == {texts[-1], "Fijo"}
        former = sorted(rows(engine, RevisionRow), key=lambda row: row["seen_from"])
        assert [row["text"] for row in former] == texts[:-1]
        assert {row["manifestation_id"] for row in former} == {
            row["id"] for row in manifestations(engine) if row["external_id"] == "n1"
        }


def test_the_files_of_replayed_crawls_are_closed_one_by_one(
    site: Site,
    other_store: Store,
    sqlite_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crawlers.kept.IN_MEMORY", 0)
    archive, store = tmp_path / "archive", Store(sqlite_engine)
    for text in ("Falta agua", "Chocó una combi"):
        place = reading(site.page("/feed", rss(item("n1", text, text))))
        live(store, place, archive)
    window, kept = MAY, []

    def watched() -> Iterator[Replayed]:
        for each in replay_source(place, place.sources[0], archive, window, VERSION):
            kept.append(each.result.extracted)
            yield each

    store_replay(
        other_store, begun(other_store, place, MAY), place, place.sources[0], MAY, SECRET, watched()
    )

    assert len(kept) == 2
    for records in kept:
        with pytest.raises(ValueError, match="closed"):
            list(records)


def test_a_replay_never_asks_the_network(site: Site, other_store: Store, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    page = site.page("/nota/1", ARTICLE)
    url = site.page("/feed", rss(item("n1", "Nota", "Resumen.", page)))
    Archive(archive, "villa", "diario", "uno").add(
        Response(url, 200, (("Content-Type", "text/xml"),), site_feed(page), NEWEST)
    )

    kept = again(other_store, reading(url, follow=True), archive)

    assert site.asked == []
    assert kept.state is State.PARTIAL
    assert kept.reason == "the archive lacks 1 of the addresses that it asks for"
    assert [row["text"] for row in manifestations(other_store.engine)] == ["Resumen."]


def site_feed(page: str) -> bytes:
    return rss(item("n1", "Nota", "Resumen.", page)).encode()


def test_days_that_the_archive_does_not_reach_are_not_read(
    other_store: Store, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    url = "http://127.0.0.1:1/feed"
    Archive(archive, "villa", "diario", "uno").add(Response(url, 200, (), rss().encode(), NEWEST))

    again(other_store, reading(url), archive)

    states = {row["day"]: row["state"] for row in rows(other_store.engine, PartitionRow)}
    assert states[date(2025, 5, 19)] == State.DONE
    assert states[date(2025, 5, 20)] == State.PARTIAL
    assert states[date(2025, 5, 31)] == State.PARTIAL


def test_an_archive_that_holds_nothing_for_the_window(other_store: Store, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    url = "http://127.0.0.1:1/feed"
    Archive(archive, "villa", "diario", "uno").add(Response(url, 200, (), rss().encode(), NEWEST))
    june = Window(date(2025, 6, 1), date(2025, 7, 1), LIMA)

    kept = again(other_store, reading(url), archive, june)

    assert (kept.state, kept.reason) == (State.FAILED, NOTHING)
    assert {row["error"] for row in rows(other_store.engine, PartitionRow)} == {NOTHING}
