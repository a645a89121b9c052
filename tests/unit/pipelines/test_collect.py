"""Storing what a crawl gave, and what the ledger then says of the source."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from crawlers.job import CrawlResult
from crawlers.kept import read_records
from crawlers.known import fingerprint, last_look
from crawlers.wire import to_line
from models.records import Condition, Failure, Outcome, Rejection, Stage, State, Window
from models.tables import CaptureRow, ManifestationRow, PartitionRow, RejectionRow, SeenRow
from pipelines.collect import Collected, SourceUnreadError, known_of, store_crawl, user_agent
from pipelines.privacy import Pseudonymiser
from pipelines.store.collecting import Saved
from pipelines.store.crawled import source_health
from pipelines.store.write import Store
from tests.unit.store.builders import LIMA, at, begun, capture, extracted, municipality, rows

VILLA = municipality()
DIARIO = VILLA.sources[0]
SECRET = Pseudonymiser("villa", b"a secret of sixteen")
THREE = Window(date(2026, 3, 1), date(2026, 3, 4), LIMA)


def crawled(*records: Any, finished: bool = True, reason: str = "", **others: Any) -> CrawlResult:
    values: dict[str, Any] = {"captures": [], "rejections": []} | others
    return CrawlResult(list(records), finished=finished, reason=reason, **values)


def keep(store: Store, result: CrawlResult, run_id: str | None = None) -> Collected:
    return store_crawl(store, run_id or begun(store), VILLA, DIARIO, THREE, SECRET, result)


def ledger(store: Store) -> list[tuple[Any, ...]]:
    names = ("source", "day", "stage", "state", "rows", "error")
    return [tuple(row[name] for name in names) for row in rows(store.engine, PartitionRow)]


def test_records_that_stay_in_their_file_are_stored_like_those_in_memory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [extracted(number, when=at(number), fingerprint=f"f{number}") for number in (1, 2, 3)]
    file = tmp_path / "extracted.jsonl"
    file.write_bytes(b"".join(map(to_line, [*records, extracted(4, said_at=None)])))
    monkeypatch.setattr("crawlers.kept.IN_MEMORY", 0)
    kept = read_records(file, frozenset({records[1].external_id}))
    file.unlink()
    result = CrawlResult(kept, [], [], finished=True, reason="")
    assert keep(store, result) == Collected("diario", State.DONE, Saved(new=3), 1, 0)
    assert {row["fingerprint"] for row in rows(store.engine, SeenRow)} == {"f1", "f3"}
    with pytest.raises(ValueError, match="closed"):
        list(result.extracted)
    again = keep(store, crawled(*records))
    assert again == Collected("diario", State.DONE, Saved(known=3), 0, 0)


def test_a_crawl_to_the_end(store: Store) -> None:
    result = crawled(
        extracted(1, when=at(1)),
        extracted(2, when=at(1)),
        extracted(3, when=at(3), capture_id=capture(1).id),
        extracted(4, when=at(9)),
        captures=[capture(1), capture(2)],
        rejections=[
            Rejection("diario", Outcome.NO_TEXT, "x", "vacío"),
            Rejection("diario", Outcome.ROBOTS_DENIED, "y", "robots.txt"),
        ],
    )
    kept = keep(store, result)
    assert kept == Collected("diario", State.DONE, Saved(new=4), rejected=1, ignored=1)
    assert ledger(store) == [
        ("diario", day, Stage.COLLECT, State.DONE, count, None)
        for day, count in zip(THREE.days, (2, 0, 1), strict=True)
    ]
    assert [row["id"] for row in rows(store.engine, CaptureRow)] == [capture(1).id, capture(2).id]
    assert len(rows(store.engine, RejectionRow)) == 2


def test_a_crawl_that_was_cut_short(store: Store) -> None:
    kept = keep(
        store, crawled(extracted(1, when=at(1)), finished=False, reason="se acabó el tiempo")
    )
    assert (kept.state, kept.reason) == (State.PARTIAL, "se acabó el tiempo")
    assert kept.saved == Saved(new=1)
    assert ledger(store) == [
        ("diario", day, Stage.COLLECT, State.PARTIAL, count, "se acabó el tiempo")
        for day, count in zip(THREE.days, (1, 0, 0), strict=True)
    ]


def test_a_crawl_that_gave_nothing(store: Store) -> None:
    refused = Rejection("diario", Outcome.FETCH_FAILED, "https://example.pe", "503")
    kept = keep(store, crawled(finished=False, reason="503", rejections=[refused]))
    assert kept == Collected("diario", State.FAILED, Saved(), 1, 0, "503")
    assert {line[3:] for line in ledger(store)} == {(State.FAILED, 0, "503")}
    assert [row["outcome"] for row in rows(store.engine, RejectionRow)] == ["fetch_failed"]


def test_a_healthy_source_may_have_nothing_to_say(store: Store) -> None:
    assert keep(store, crawled()).state is State.DONE
    assert {line[3:] for line in ledger(store)} == {(State.DONE, 0, None)}


def test_a_record_without_a_date_is_rejected_and_never_dated_by_guess(store: Store) -> None:
    undated = extracted(2, "Sin fecha: DNI 45678912", url="https://example.pe/2")
    object.__setattr__(undated, "said_at", None)
    nameless = extracted(3, "Sin fecha")
    object.__setattr__(nameless, "said_at", None)
    kept = keep(store, crawled(extracted(1, when=at(1)), undated, nameless))
    assert (kept.saved, kept.rejected, kept.ignored) == (Saved(new=1), 2, 0)
    found = rows(store.engine, RejectionRow)
    assert [(row["outcome"], row["place"]) for row in found] == [
        ("no_date", "https://example.pe/2"),
        ("no_date", "3"),
    ]
    assert all("45678912" not in str(row) for row in found)


def test_every_record_ends_somewhere(store: Store) -> None:
    undated = extracted(9)
    object.__setattr__(undated, "said_at", None)
    run_id = begun(store)
    keep(store, crawled(extracted(1, when=at(1)), extracted(2, when=at(1))), run_id)
    second = [
        extracted(1, when=at(1)),
        extracted(2, "Ya la arreglaron", when=at(1)),
        extracted(3, when=at(2)),
        undated,
    ]
    kept = keep(store, crawled(*second), run_id)
    assert kept.saved == Saved(new=1, changed=1, known=1)
    assert kept.rejected == 1


def test_nothing_personal_is_stored(store: Store) -> None:
    record = extracted(
        1,
        "Soy Rosa Quispe, DNI 45678912, cel 987654321, rosa@example.pe, @rosita",
        author="Rosa Quispe",
        when=at(1),
    )
    keep(store, crawled(record))
    (row,) = rows(store.engine, ManifestationRow)
    assert row["text"] == "Soy Rosa Quispe, DNI [dni], cel [teléfono], [correo], @usuario"
    assert row["author"] == SECRET.author("diario", "Rosa Quispe")


def test_the_same_crawl_twice_adds_nothing(store: Store) -> None:
    result = crawled(extracted(1, when=at(1)), extracted(2, when=at(2)), captures=[capture(1)])
    keep(store, result)
    before = rows(store.engine, ManifestationRow)
    assert keep(store, result).saved == Saved(known=2)
    assert rows(store.engine, ManifestationRow) == before


def test_the_last_look_at_an_old_page_is_kept(store: Store) -> None:
    marks = [fingerprint("m-1", "uno"), fingerprint("m-2", "dos")]
    records = [replace(extracted(n, when=at(n)), fingerprint=marks[n - 1]) for n in (1, 2)]
    keep(store, crawled(*records))

    keep(store, crawled(looked=(marks[0], fingerprint("otra", "fuente"))))

    known = known_of(store, VILLA, DIARIO)
    assert set(known.seen) == {last_look(marks[0]), marks[1]}


def test_a_fault_of_our_own_says_nothing_of_the_source(store: Store) -> None:
    broken = crawled(finished=False, reason="Manifiesta itself broke", failure=Failure.OWN)

    kept = keep(store, broken)

    assert (kept.state, kept.reason) == (State.FAILED, "Manifiesta itself broke")
    health = source_health(store.engine, VILLA.code)[DIARIO.name]
    assert (health.state, health.failures) == (Condition.ACTIVE, 0)


@pytest.mark.parametrize("failure", [*Failure, None])
def test_trying_again_is_worth_it_unless_the_source_forbids_it(failure: Failure | None) -> None:
    error = SourceUnreadError(crawled(finished=False, reason="no", failure=failure))
    assert (error.lasting, str(error)) == (failure is Failure.HARD, "no")


def test_the_user_agent_is_plain_ascii_and_says_whom_to_write_to() -> None:
    place = municipality(contact={"name": "Gestión de Ñaña", "email": "equipo@example.pe"})
    agent = user_agent(place, "0.1.0")
    assert agent == "Manifiesta/0.1.0 (Gestin de aa; +mailto:equipo@example.pe)"
