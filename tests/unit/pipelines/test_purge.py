"""A purge leaves nothing of what it purges: not in rows, files, responses or reports."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update

from configs.load import load_taxonomy
from crawlers.archive import Archive, Response, read_capture
from crawlers.erasing import _blank
from crawlers.index import archived_crawls
from crawlers.job import CrawlResult
from models.errors import ConfigError
from models.match_records import Batch, Entity, TechnologicalCall
from models.match_tables import CallRow
from models.records import Extracted, Outcome, Rejection, Validator, manifestation_id
from models.tables import (
    AuditRow,
    Base,
    CaptureRow,
    ManifestationRow,
    NearDuplicateRow,
    RejectionRow,
    RevisionRow,
    TombstoneRow,
    ValidatorRow,
)
from pipelines import purge as purging
from pipelines.aggregate import aggregate
from pipelines.collect import keep_records
from pipelines.counted import Counted
from pipelines.duplicates import update_clusters
from pipelines.match.exchange import store_records
from pipelines.privacy import Pseudonymiser
from pipelines.purge import purge
from pipelines.report.gather import gather
from pipelines.report.page import write_report
from pipelines.store.collecting import Learnt
from pipelines.store.engine import open_engine
from pipelines.store.erase import Criteria
from pipelines.store.write import Store
from tests.unit.store.builders import (
    MARCH,
    MODEL,
    TAXONOMY,
    at,
    begun,
    classified,
    extracted,
    municipality,
    rows,
    said,
)

SECRET = "El chifa Zorzal de Ceres echa aceite quemado al buzón y nadie dice nada"
FORMER = "El chifa Turpial de Ceres echa grasa al desagüe todas las noches sin falta"
OTHERS = "La nueva losa deportiva de Amauta quedó muy bonita, gracias por escuchar"
WORDS = ("zorzal", "turpial")
AUTHOR, OTHER = "a-00000000000000aa", "a-00000000000000bb"


def page(*texts: str) -> bytes:
    items = "".join(f"<li class='c'>{text.replace(' ', ' <b></b>', 1)}</li>" for text in texts)
    return f"<html><body><ul>{items}</ul></body></html>".encode()


KEY = Pseudonymiser("villa", b"a secret of sixteen")


class Town:
    """Two neighbours, two sources, their responses, a report and an export."""

    def __init__(self, store, home: Path) -> None:
        self.store, self.home, self.archive = store, home, home / "archive"
        self.place, self.run = municipality(suppress_below=1), begun(store)
        self.captures = {}
        self.collect()
        self.publish()

    def fetch(self, name, source, body, day, *, gone=False, kind="text/html"):
        kept = Archive(self.archive, "villa", source, "crawl-1").add(
            Response(f"https://{source}.pe/{name}", 200, [("Content-Type", kind)], body, at(day))
        )
        self.captures[name] = kept
        return kept

    def collect(self):
        keep = {name: self.fetch(name, "foro", page(OTHERS), 9) for name in ("early",)}
        first = self.fetch("hilo-1", "foro", page(FORMER), 10)
        now = self.fetch("hilo-2", "foro", page(OTHERS, SECRET), 11)
        again = self.fetch("ultimos.json", "foro", json.dumps({"t": SECRET}).encode(), 12)
        packed = self.fetch("otro", "foro", page(OTHERS), 13)
        press = self.fetch("nota", "diario", page("Una nota del diario sobre otra cosa"), 12)
        self.secret = said(
            1, FORMER, source="foro", author=AUTHOR, when=at(10), fetched_at=first.fetched_at,
            capture_id=first.id, url="https://foro.pe/hilo-2#c1",
        )  # fmt: skip
        self.edited = said(
            1, SECRET, source="foro", author=AUTHOR, when=at(10), fetched_at=now.fetched_at,
            capture_id=now.id, url="https://foro.pe/hilo-2#c1",
        )  # fmt: skip
        self.other = said(
            2, OTHERS, source="foro", author=OTHER, when=at(9), capture_id=keep["early"].id,
            fetched_at=keep["early"].fetched_at,
        )  # fmt: skip
        self.copy = said(3, f"LEA: {SECRET}"[:60], source="diario", when=at(20))
        rejected = Rejection("foro", Outcome.TOO_LONG, "https://foro.pe/hilo-2#c1", "too long")
        for items, captures in (
            ([self.secret, self.other], [keep["early"], first]),
            ([self.edited], [now, again, packed]),
        ):
            self.store.save_collected(
                self.run, self.place, "foro", items, [rejected], captures,
                Learnt(validators=[Validator("https://foro.pe/hilo-2#c1", "etag")]),
            )  # fmt: skip
        self.store.save_collected(self.run, self.place, "diario", [], [], [press])

    def publish(self):
        self.store.set_model(self.run, MODEL)
        self.store.save_classifications(
            TAXONOMY, [classified(item) for item in (self.edited, self.other)]
        )
        update_clusters(self.store, self.place)
        aggregate(self.store, Counted(self.run, self.place, MARCH, MODEL, TAXONOMY), {})
        data = gather(self.store.engine, self.run, self.place, load_taxonomy())
        quotes = [quote.text for one in data.evidence for quote in one.quotes]
        self.call(next(quote for quote in quotes if "Zorzal" in quote))
        self.report = self.home / "reports" / self.run / "informe.html"
        self.report.parent.mkdir(parents=True)
        self.report.write_text("\n".join(quotes))
        assert "Zorzal" in self.report.read_text()
        self.export = self.home / "exports" / f"textos-{self.run}.csv"
        self.export.parent.mkdir()
        self.export.write_text(SECRET)
        (self.home / "reports" / "another-run").mkdir()

    def call(self, quote):
        """Store a technological call that quotes the person and somebody else."""
        quoted = [{"id": self.secret.id, "text": quote}, {"id": self.other.id, "text": OTHERS}]
        made = {"code": "grasa-1", "entity": "villa", "title": "Desagües", "problem": "Grasa."}
        batch = Batch(
            entity=(Entity(code="villa", name="Villa"),),
            technological_call=(TechnologicalCall(**made, need={"quotes": quoted, "n": 2}),),
        )
        store_records(self.store.engine, batch, "test")

    def purge(self, dry_run=False, names=(), **criteria):
        return purge(
            self.store, self.place, Criteria(**criteria), self.home, self.archive, KEY,
            names=names, dry_run=dry_run,
        )  # fmt: skip

    def traces(self, words=WORDS) -> list[str]:
        """Return where any of the words still stands."""
        found = []
        for file in self.home.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                plain = gzip.decompress(data) if file.name.endswith(".warc.gz") else data
                found += [str(file) for word in words if word in plain.decode("latin-1").lower()]
        with self.store.engine.connect() as connection:
            for table in Base.metadata.sorted_tables:
                for row in connection.execute(table.select()):
                    found += [table.name for word in words if word in str(row).lower()]
        return found

    def readable(self) -> set[str]:
        """Return the names of the responses that can still be read where they were."""
        good = set()
        for name, kept in self.captures.items():
            try:
                read_capture(kept, self.archive)
            except Exception:  # noqa: BLE001 - erased, however that shows
                continue
            good.add(name)
        return good


@pytest.fixture
def town(store, tmp_path) -> Town:
    """A town whose SQLite file, where it is one, lies in its home."""
    return Town(store, tmp_path)


def test_there_are_traces_before(town):
    assert len(town.traces()) > 5


@pytest.mark.parametrize(
    "criteria", [{"authors": (AUTHOR,)}, {"authors": (AUTHOR,), "source": "foro"}, {"id": ""}]
)
def test_no_trace_of_a_person_is_left(town, criteria):
    if "id" in criteria:
        criteria = {"id": town.secret.id}
    outcome = town.purge(**criteria)
    assert (outcome.manifestations, outcome.revisions, outcome.responses) == (1, 1, 3)
    assert outcome.scrubbed
    assert town.traces() == []
    assert not town.report.parent.exists()
    assert not town.export.exists()
    assert (town.home / "reports" / "another-run").exists()
    assert town.readable() == {"early", "otro", "nota"}
    assert [row["id"] for row in rows(town.store.engine, ManifestationRow)] == [town.other.id]
    assert rows(town.store.engine, RevisionRow) == []
    assert rows(town.store.engine, ValidatorRow) == []
    assert {row["place"] for row in rows(town.store.engine, RejectionRow)} == {"[purged]"}


def test_a_report_goes_as_it_is_really_written(sqlite_engine, tmp_path):
    town = Town(Store(sqlite_engine), tmp_path)
    data = gather(sqlite_engine, town.run, town.place, load_taxonomy())
    page_file = write_report(data, tmp_path / "reports")
    assert "Zorzal" in page_file.read_text()
    town.purge(authors=(AUTHOR,))
    assert not page_file.parent.exists()
    assert town.traces() == []


def test_a_call_keeps_its_figures_and_its_other_quotes(town):
    town.purge(authors=(AUTHOR,))
    (call,) = rows(town.store.engine, CallRow)
    assert call["need"] == {"quotes": [{"id": town.other.id, "text": OTHERS}], "n": 2}


def test_the_others_are_left_where_they_lie(town):
    town.purge(authors=(AUTHOR,))
    crawls = archived_crawls(town.archive, "villa", "foro")
    assert [c.url.rpartition("/")[2] for c in crawls[0].captures] == ["early", "otro"]
    fresh = town.fetch("nuevo", "foro", page("Texto posterior"), 25)
    assert b"posterior" in read_capture(fresh, town.archive)
    stored = {row["id"] for row in rows(town.store.engine, CaptureRow)}
    assert stored == {town.captures[name].id for name in ("early", "otro", "nota")}


def purges(town):
    return [row for row in rows(town.store.engine, AuditRow) if row["action"] == "purge"]


def test_a_dry_run_counts_and_changes_nothing(town):
    before = town.traces()
    outcome = town.purge(authors=(AUTHOR,), dry_run=True)
    assert (outcome.manifestations, outcome.responses, outcome.runs) == (1, 3, 1)
    assert len(outcome.files) == 2
    assert town.traces() == before
    assert purges(town) == []


def test_purging_twice_is_harmless(town):
    town.purge(authors=(AUTHOR,))
    again = town.purge(authors=(AUTHOR,))
    assert (again.manifestations, again.responses, again.files) == (0, 0, ())
    assert town.readable() == {"early", "otro", "nota"}


def test_the_audit_says_what_was_done_and_of_whom_nothing(town):
    town.purge(authors=(AUTHOR,), names=("Rosa Quispe",))
    (event,) = purges(town)
    assert event["action"] == "purge"
    assert event["municipality"] == "villa"
    assert event["actor"]
    assert event["detail"]["by"] == ["author"]
    assert event["detail"]["manifestations"] == 1
    shown = str(event).lower()
    assert not any(word in shown for word in (*WORDS, AUTHOR, "rosa", town.secret.id))


def test_a_response_that_names_the_author_goes_too(town):
    town.fetch("miembros", "foro", page("Miembros: Rósa  Quispe, Juan"), 26)
    town.purge(authors=(AUTHOR,), names=("Rosa Quispe",))
    assert "miembros" not in town.readable()


def test_a_time_takes_all_responses_from_before_it(town):
    outcome = town.purge(before=date(2026, 3, 10))
    assert outcome.manifestations == 1
    assert town.readable() == {"hilo-1", "ultimos.json", "nota"}  # the others hold that text
    assert town.traces(("amauta",)) == []
    assert town.traces() != []


def test_a_source_takes_its_whole_archive(town):
    town.purge(source="foro")
    assert town.readable() == {"nota"}
    assert town.traces((*WORDS, "amauta", "foro.pe")) == []


def test_what_was_never_stored_is_reached_by_time_and_source(town):
    town.fetch("huerfano", "perdida", page(SECRET), 8)
    assert town.purge(before=date(2026, 3, 9)).responses == 1
    assert "huerfano" not in town.readable()


def test_the_half_record_of_a_killed_writer_goes(town):
    path = town.archive / "villa" / "foro" / "2026-03.warc.gz"
    with path.open("ab") as file:
        file.write(gzip.compress(SECRET.encode(), compresslevel=0)[:-4])
    left = path.with_name(path.name + ".erasing")
    left.write_text(SECRET)
    town.purge(authors=(AUTHOR,))
    assert b"Zorzal" not in path.read_bytes()
    assert not left.exists()


@pytest.mark.parametrize("step", ["_remove", "_erase_archive", "erase", "scrub"])
def test_a_killed_purge_is_finished_by_the_next(town, monkeypatch, step):
    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(purging, step, killed)
        with pytest.raises(KeyboardInterrupt):
            town.purge(authors=(AUTHOR,))
    town.purge(authors=(AUTHOR,))
    assert town.traces() == []


def test_clusters_are_made_anew_without_the_purged(town):
    copies = [said(n, f"{SECRET} {n}", source="diario", when=at(20)) for n in (7, 8)]
    town.store.save_collected(town.run, town.place, "diario", copies)
    update_clusters(town.store, town.place)
    outcome = town.purge(authors=(AUTHOR,))
    assert outcome.copies_left == 2
    clusters = {
        row["manifestation_id"]: row["cluster_id"]
        for row in rows(town.store.engine, NearDuplicateRow)
    }
    assert clusters[copies[0].id] == clusters[copies[1].id] in {item.id for item in copies}
    assert town.secret.id not in clusters.values()


def test_nothing_is_purged_without_a_criterion(town):
    with pytest.raises(ConfigError, match="Say what to purge"):
        town.purge()


def test_other_municipalities_are_left_alone(town):
    other = municipality(code="lurin")
    long_ago = Criteria(before=date(2030, 1, 1))
    outcome = purge(town.store, other, long_ago, town.home, town.archive, KEY)
    assert outcome.manifestations == outcome.responses == 0
    assert town.traces() != []


@pytest.mark.parametrize("size", [40, 200, 400, 65_600, 65_800, 200_003])
def test_a_blank_record_has_the_size_of_what_it_replaces(size):
    assert len(_blank(size)) == size
    assert set(gzip.decompress(_blank(size)).decode()[-4:].strip()) <= {" "}


def test_a_response_of_two_million_bytes_is_erased_and_the_next_stays(town):
    noise = "".join(sha256(str(n).encode()).hexdigest() for n in range(30_000))
    town.fetch("grande", "foro", page(SECRET, noise), 27)
    after = town.fetch("despues", "foro", page(OTHERS), 28)
    town.purge(authors=(AUTHOR,))
    assert town.traces() == []
    assert b"Amauta" in read_capture(after, town.archive)
    assert len(archived_crawls(town.archive, "villa", "foro")[0].captures) == 3


def test_a_busy_database_is_told(sqlite_engine, tmp_path):
    impatient = open_engine(sqlite_engine.url.render_as_string(), busy_seconds=0.2)
    town = Town(Store(impatient), tmp_path)
    with sqlite_engine.connect() as reader:
        reader.execute(sql("SELECT count(*) FROM manifestation")).all()
        assert not town.purge(authors=(AUTHOR,)).scrubbed
    assert town.purge(authors=(AUTHOR,)).scrubbed
    assert town.traces() == []


def test_retention_and_names_on_the_command_line(tmp_path):
    from typer.testing import CliRunner

    from flows.cli import app

    home = tmp_path / "home"
    (home / "municipalities").mkdir(parents=True)
    place = municipality().model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    place["base_url"] = "https://villa.example.pe"
    (home / "municipalities" / "villa.yml").write_text(json.dumps(place))

    def say(*words):
        return CliRunner().invoke(app, ["purge", "-m", "villa", *words])

    assert isinstance(say("--retention", "--yes").exception, ConfigError)
    assert isinstance(say("--author-name", "Rosa Quispe").exception, ConfigError)
    done = say("--author-name", "Rosa Quispe", "--source", "foro", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["manifestations"] == 0
    refused = CliRunner().invoke(app, ["purge", "-m", "villa", "--source", "foro"], input="n\n")
    assert refused.exit_code == 1
    (home / "municipalities" / "villa.yml").write_text(json.dumps(place | {"retention_days": 30}))
    assert say("--retention", "--dry-run").exit_code == 0


def test_the_retention_limit_is_in_local_days():
    from flows.commands.privacy import _limit

    place = municipality().model_copy(update={"retention_days": 30})
    today = datetime.now(UTC).astimezone(place.zone).date()
    assert _limit(place, None, True) == today - timedelta(days=30)
    assert _limit(place, today, True) == today
    assert _limit(place, None, False) is None


def online(number: int, author: str | None) -> Extracted:
    return extracted(number, SECRET, source="foro", author=author, when=at(10))


def collected_again(town, *records: Extracted):
    """Return what a run keeps of records that their source still shows."""
    result = CrawlResult(list(records), [], [], finished=True, reason="")
    source = town.place.source("foro")
    return keep_records(town.store, begun(town.store), town.place, source, KEY, result)


@pytest.mark.parametrize(
    ("criteria", "reason", "kept"),
    [
        ({"id": manifestation_id("villa", "foro", "1")}, "id", {"5"}),
        ({"before": date(2026, 3, 11), "source": "foro"}, "before+source", {"5"}),
        ({"authors": (KEY.author("foro", "Rosa Quispe"),)}, "author", {"2"}),
    ],
)
def test_what_was_purged_is_not_collected_again(store, tmp_path, criteria, reason, kept):
    town = Town(store, tmp_path)
    rosa = KEY.author("foro", "Rosa Quispe")
    with store.engine.begin() as connection:
        first = ManifestationRow.external_id == "1"
        connection.execute(update(ManifestationRow).where(first).values(author=rosa))
    town.purge(dry_run=True, **criteria)
    assert rows(store.engine, TombstoneRow) == []
    town.purge(**criteria)

    again = [online(1, "Rosa Quispe"), online(2, None), online(5, "rosa  quispe")]
    found = collected_again(town, *again)

    now = {row["external_id"] for row in rows(store.engine, ManifestationRow)}
    assert "1" not in now
    assert kept <= now
    saved = found.saved.new + found.saved.changed + found.saved.known
    assert (found.ignored, found.rejected) == (3 - saved, 0)
    told = [row for row in rows(store.engine, RejectionRow) if row["outcome"] == Outcome.PURGED]
    assert len(told) == found.ignored >= 1
    assert {row["place"] for row in told} == {"[purged]"}
    assert all(row["detail"].startswith(f"purged by {reason} on 20") for row in told)
    stones = rows(store.engine, TombstoneRow)
    assert {stone["reason"] for stone in stones} == {reason}
    assert not any(word in str(stones) for word in ("foro", rosa, "Rosa"))


def test_without_the_key_a_tombstone_says_nothing() -> None:
    other = Pseudonymiser("villa", b"another secret of ours")
    ate = Pseudonymiser("ate", b"a secret of sixteen")
    digests = {one.digests("foro", "1")[0] for one in (KEY, other, ate)}
    assert len(digests) == 3
    assert KEY.digests("foro", "1", "Rosa")[1] == KEY.buried_author(KEY.author("foro", "Rosa"))
