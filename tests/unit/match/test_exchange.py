"""Records come in whole or not at all, and go out as they came in."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from configs.matchmaking import check_matchmaking, read_records, record_files
from models.errors import InputError
from models.match_records import KINDS, record_type
from pipelines.match.exchange import export_records, import_records
from pipelines.match.logframe import indicators
from pipelines.store.audit import events
from pipelines.store.records import stored, table_of

REFERENCE = Path("govlink-2021-2022")

GOOD = {
    "entity": [{"code": "villa", "name": "Villa", "kind": "municipality", "country": "PE"}],
    "startup": [{"code": "acme", "name": "Acme", "aliases": ["Acmé", "AcmeBot"]}],
    "solution": [
        {
            "code": "acme-ruta",
            "startup": "acme",
            "title": "Ruta",
            "work_categories": [7],
            "categories": ["transport"],
            "implementations": [
                {"country": "CL", "entity": "Otra", "validated": True, "document": "Acta 3"}
            ],
        }
    ],
    "pilot": [
        {
            "code": "villa-2026",
            "entity": "villa",
            "title": "Piloto",
            "work_categories": [7],
            "startups": ["acme"],
            "starts_on": "2026-03-01",
            "ends_on": "2026-04-01",
            "state": "running",
        }
    ],
    "activity": [
        {"pilot": "villa-2026", "number": 1, "title": "Empezar", "done_on": "2026-03-02"},
        {"pilot": "villa-2026", "number": 2, "title": "Medir"},
    ],
    "indicator": [
        {
            "code": "hecho",
            "pilot": "villa-2026",
            "level": "activity",
            "statement": "Se hace",
            "kpi": "Hechas entre previstas",
            "verification": "Tabla activity",
            "measure": "activities_completed",
        }
    ],
}


def put(folder: Path, values: object, name: str = "records.yml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return path


def changed(kind: str, index: int = 0, **changes: object) -> dict[str, list[dict[str, object]]]:
    copy = json.loads(json.dumps(GOOD))
    copy[kind][index].update(changes)
    return copy


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_has_the_columns_of_its_table(kind: str) -> None:
    columns = set(table_of(kind).columns.keys()) - {"id", "state"}
    assert columns == set(record_type(kind).model_fields) - {"state"}


def test_the_shipped_files_have_no_problem() -> None:
    assert check_matchmaking() == []


def test_every_fact_of_the_pilots_names_its_document(engine: Engine) -> None:
    done = import_records(engine, REFERENCE)
    assert done.problems == []
    facts = {(f["subject"], f["name"]): f for f in stored(engine, "fact")}
    assert all(fact["document"] for fact in facts.values())
    assert facts["ate-2021", "manifestations"]["value"] == "5796"
    assert facts["arequipa-2021", "activities-completed"]["value"] == "50"
    (stop,) = stored(engine, "interruption")
    assert (stop["subject"], str(stop["stopped_on"])) == ("arequipa-2021", "2021-10-22")


def test_the_same_file_again_changes_nothing_but_the_audit(engine: Engine) -> None:
    import_records(engine, REFERENCE)
    before = export_records(engine, KINDS, "json")
    assert not import_records(engine, REFERENCE).refused
    assert export_records(engine, KINDS, "json") == before
    assert [event.action for event in events(engine)] == ["match.import"] * 2


def test_what_goes_out_as_json_comes_in_again(sqlite_engine: Engine, tmp_path: Path) -> None:
    assert not import_records(sqlite_engine, put(tmp_path, GOOD)).refused
    out = tmp_path / "out.json"
    out.write_text(export_records(sqlite_engine, KINDS, "json"), encoding="utf-8")
    batch, problems = read_records(out)
    first, _ = read_records(tmp_path / "records.yml")
    assert problems == []
    assert batch == first


@pytest.mark.parametrize("kind", ["startup", "solution", "pilot"])
def test_what_goes_out_as_csv_comes_in_again(
    sqlite_engine: Engine, tmp_path: Path, kind: str
) -> None:
    import_records(sqlite_engine, put(tmp_path, GOOD))
    out = tmp_path / "out.csv"
    out.write_text(export_records(sqlite_engine, [kind], "csv"), encoding="utf-8")
    assert import_records(sqlite_engine, out, kind).problems == []  # the very same, or refused


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (changed("pilot", entity="vila"), "there is no entity «vila»"),
        (changed("pilot", startups=["acme", "nadie"]), "there is no startup «nadie»"),
        (changed("pilot", ends_on="2026-02-01"), "is before starts_on"),
        (changed("pilot", work_categories=[10]), "at most 9"),
        (changed("solution", categories=["trafico"]), "«trafico» is not allowed"),
        (changed("solution", implementations=[{"country": "CL", "entity": "X", "validated": True}]),
         "validated without a document"),
        (changed("startup", paginaweb="x"), "no such key"),
        (changed("activity", 1, number=1), "is there twice, first in line"),
        ({"startups": []}, "no such key"),
        ({"survey_response": [{"pilot": "p", "question": "q", "answer": "a", "count": 9, "n": 8}]},
         "9 of 8 cannot be"),
        ({"readiness_answer": [
            {"entity": "villa", "question": "q", "answered_on": "2026-01-01", "score": 5}]},
         "at most 4"),
        ({"technological_call": [
            {"code": "c", "entity": "villa", "title": "t", "problem": "p",
             "opens_on": "2026-02-01", "closes_on": "2026-01-01"}]},
         "is before opens_on"),
        ({"interruption": [
            {"subject_kind": "pilot", "subject": "no", "stopped_on": "2026-01-01", "reason": "r"}]},
         "there is no pilot «no»"),
    ],
)  # fmt: skip
def test_bad_records_are_refused_with_the_reason_and_nothing_is_written(
    sqlite_engine: Engine, tmp_path: Path, values: object, reason: str
) -> None:
    done = import_records(sqlite_engine, put(tmp_path, values))
    assert done.refused
    assert any(reason in str(problem) for problem in done.problems), done.problems
    assert all(stored(sqlite_engine, kind) == [] for kind in KINDS)
    assert list(events(sqlite_engine)) == []


def test_a_code_is_not_taken_over_by_accident(sqlite_engine: Engine, tmp_path: Path) -> None:
    import_records(sqlite_engine, put(tmp_path, GOOD))
    other = put(tmp_path, {"startup": [{"code": "acme", "name": "Otra"}]}, "other.yml")
    assert "stored with other values" in str(import_records(sqlite_engine, other).problems[0])
    assert stored(sqlite_engine, "startup")[0]["name"] == "Acme"
    assert not import_records(sqlite_engine, other, replace=True).refused
    assert stored(sqlite_engine, "startup")[0]["name"] == "Otra"


def test_a_bad_row_of_a_table_is_told_by_its_line(sqlite_engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "startups.csv"
    path.write_text("code;name;aliases\nacme;Acme;\nMal Código;Mala;\n", encoding="utf-8")
    done = import_records(sqlite_engine, path, "startup")
    assert [problem.line for problem in done.problems] == [3]
    assert stored(sqlite_engine, "startup") == []
    with pytest.raises(InputError, match="--type"):
        import_records(sqlite_engine, path)
    with pytest.raises(InputError, match="no kind of record «cosa»"):
        import_records(sqlite_engine, path, "cosa")


def test_indicators_say_their_numerator_and_denominator(
    sqlite_engine: Engine, tmp_path: Path
) -> None:
    import_records(sqlite_engine, put(tmp_path, GOOD))
    (value,) = indicators(sqlite_engine, "villa-2026")
    assert (value.count, value.n, value.share) == (1, 2, 0.5)
    assert value.said == "50.0% (1 of 2)"
    import_records(sqlite_engine, REFERENCE)
    programme = {value.code: (value.count, value.n) for value in indicators(sqlite_engine)}
    assert programme["categories-tested"] == (5, 9)
    assert programme["startups-linked"] == (6, 6)
    with pytest.raises(InputError, match="no pilot"):
        indicators(sqlite_engine, "no-hay")


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "name", "entity", "n", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(values=st.dictionaries(st.sampled_from(KINDS), WILD, max_size=3))
def test_no_file_is_too_wild_to_be_refused(tmp_path: Path, values: dict[str, object]) -> None:
    batch, problems = read_records(put(tmp_path, values))
    assert (batch is None) == bool(problems)


def test_shipped_files_are_found_by_their_name() -> None:
    assert set(record_files()) == {"govlink-2021-2022"}
