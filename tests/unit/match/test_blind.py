"""A selection is blind, sealed, revealed once, and everything about it stands in the audit."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from models.errors import InputError, RefusedError
from models.match_tables import AssessmentRow
from pipelines.match import blind
from pipelines.match.exchange import export_records, import_records
from pipelines.match.handover import hand_over_pack
from pipelines.match.noted import told
from pipelines.match.read import call_page, calls
from pipelines.store import selection
from pipelines.store.audit import events, verify
from tests.unit.store.builders import at

TODAY = at(1).date()


def records(**call: object) -> dict[str, object]:
    wanted = {"code": "ruta", "entity": "villa", "title": "Rutas", "problem": "No pasa el camión."}
    return {
        "entity": [
            {"code": "villa", "name": "Villa"},
            {"code": "otra", "name": "Otra"},
            *({"code": f"org-{i}", "name": f"Organización {i}xyz"} for i in range(13)),
        ],
        "official": [
            *({"code": f"e-{i}", "entity": "villa", "post": "Analista"} for i in range(1, 4)),
            {"code": "ajena", "entity": "otra", "post": "Analista"},
            {"code": "ida", "entity": "villa", "post": "Jefa", "until": "2020-01-01"},
        ],
        "startup": [
            {"code": f"firma-{name}", "name": f"{name.title()}elia Labs"}
            for name in ("ac", "be", "ci")
        ],
        "technological_call": [wanted | call],
    }


@pytest.fixture
def put(engine: Engine, tmp_path: Path):
    """Import records and publish the call."""

    def of(**call: object) -> Engine:
        path = tmp_path / "records.yml"
        path.write_text(yaml.safe_dump(records(**call), allow_unicode=True), encoding="utf-8")
        assert import_records(engine, path).problems == []
        selection.publish(engine, "ruta", "ana")
        return engine

    return of


@pytest.fixture
def applied(tmp_path: Path):
    """Hand an application in and return its code."""

    def of(engine: Engine, applicant: str, **values: object) -> str:
        path = tmp_path / f"{applicant}.yml"
        content = {
            "applicant": applicant,
            "title": f"Idea de {applicant}",
            "text": "Ordenamos rutas.",
            "experience": "Funciona en Chile.",
        } | values
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        return blind.apply(engine, "ruta", path, []).code

    return of


def score(codes: list[str], *values: int) -> dict[str, dict[str, int]]:
    return {
        code: dict.fromkeys(blind.CRITERIA, value)
        for code, value in zip(codes, values, strict=True)
    }


def assessed(engine: Engine, scores: dict[str, dict[str, dict[str, int]]]) -> None:
    sealed = []
    for official, theirs in scores.items():
        selection.attest(engine, "ruta", official, None, official)
        sealed.append(blind.seal(engine, "ruta", official, theirs))
    for one in sealed:
        blind.unseal(engine, one)


def state(engine: Engine) -> str:
    return str(call_page(engine, "ruta").call["state"])


def test_the_whole_way_from_application_to_reveal(put, applied) -> None:
    engine = put()
    codes = [applied(engine, f"firma-{name}") for name in ("ac", "be", "ci")]
    assert selection.close(engine, "ruta", "ana") == 3
    page = json.dumps(call_page(engine, "ruta").applications, default=str).lower()
    assert not any(leak in page for leak in ("firma", "acelia", "chile"))
    assessed(engine, {"e-1": score(codes, 5, 3, 1), "e-2": score(codes, 4, 3, 5)})
    outcome = blind.select(engine, "ruta")
    assert outcome.chosen == [codes[0]]
    assert [one.total for one in outcome.ranking] == [4.5, 3.0, 3.0]
    assert call_page(engine, "ruta").identities == {}
    assert selection.reveal(engine, "ruta", "ana")[codes[0]] == "firma-ac"
    assert selection.identity(engine, "ruta", codes[0], "ana") == "firma-ac"
    with pytest.raises(RefusedError, match="is revealed"):
        selection.reveal(engine, "ruta", "ana")
    assert verify(engine).whole
    done = [event.action.removeprefix("match.") for event in events(engine)]
    rounds = "attest seal " * 2
    assert " ".join(done) == (
        f"import publish apply apply apply close {rounds}open open select reveal identity reveal"
    )


def test_no_identity_is_read_before_the_reveal_and_every_attempt_is_noted(put, applied) -> None:
    engine = put()
    code = applied(engine, "firma-ac")
    for when in ("open", "assessing"):
        assert state(engine) == when
        with pytest.raises(RefusedError, match="noted in the audit"):
            selection.identity(engine, "ruta", code, "curious")
        with pytest.raises(RefusedError, match="only while it is selected"):
            selection.reveal(engine, "ruta", "curious")
        if when == "open":
            selection.close(engine, "ruta", "ana")
    tried = [event for event in events(engine) if event.actor == "curious"]
    assert [event.action for event in tried] == ["match.identity", "match.reveal"] * 2
    assert all(event.detail["refused"] for event in tried)
    assert "firma-ac" not in json.dumps([event.detail for event in events(engine)])
    assert code not in export_records(engine, ["technological_call", "startup"], "json")


def test_scores_stay_sealed_until_everybody_has_sealed(put, applied) -> None:
    engine = put()
    codes = [applied(engine, "firma-ac"), applied(engine, "firma-be")]
    selection.close(engine, "ruta", "ana")
    for official in ("e-1", "e-2"):
        selection.attest(engine, "ruta", official, None, official)
    first = blind.seal(engine, "ruta", "e-1", score(codes, 5, 1))
    with pytest.raises(RefusedError, match="missing: e-2"):
        blind.unseal(engine, first)
    with pytest.raises(RefusedError, match="sealed"):
        blind.select(engine, "ruta")
    with pytest.raises(RefusedError, match="sealed already"):
        blind.seal(engine, "ruta", "e-1", score(codes, 1, 5))
    second = blind.seal(engine, "ruta", "e-2", score(codes, 2, 4))
    other = second.model_copy(update={"scores": score(codes, 1, 5)})
    with pytest.raises(RefusedError, match="their hash differs"):
        blind.unseal(engine, other)
    stolen = first.model_copy(update={"official": "e-2"})
    with pytest.raises(RefusedError, match="their hash differs"):
        blind.unseal(engine, stolen)
    blind.unseal(engine, first)
    with pytest.raises(RefusedError, match="missing or sealed: e-2"):
        blind.select(engine, "ruta")
    with pytest.raises(RefusedError, match="opened the scores already"):
        blind.unseal(engine, first)
    selection.attest(engine, "ruta", "e-3", None, "e-3")
    with pytest.raises(RefusedError, match="shown already"):
        blind.seal(engine, "ruta", "e-3", score(codes, 1, 5))


@pytest.mark.parametrize("bad", [0, 6, -1, 3.0, "4", True, None])
def test_a_score_outside_of_its_scale_is_refused(put, applied, bad: object) -> None:
    engine = put()
    codes = [applied(engine, "firma-ac")]
    selection.close(engine, "ruta", "ana")
    selection.attest(engine, "ruta", "e-1", None, "e-1")
    before = len(events(engine))
    scores = score(codes, 3)
    scores[codes[0]]["need"] = bad  # type: ignore[assignment]
    with pytest.raises(InputError, match="no whole number from 1 to 5"):
        blind.seal(engine, "ruta", "e-1", scores)
    assert call_page(engine, "ruta").assessors[0].commitment is None
    assert len(events(engine)) == before


def test_incomplete_and_unknown_scores_are_refused(put, applied) -> None:
    engine = put()
    codes = [applied(engine, "firma-ac"), applied(engine, "firma-be")]
    selection.close(engine, "ruta", "ana")
    selection.attest(engine, "ruta", "e-1", None, "e-1")
    for scores, reason in (
        (score(codes[:1], 3), "No score for"),
        (score([*codes, "P-XXXXX"], 3, 3, 3), "no application P-XXXXX"),
        ({code: {"novelty": 3} for code in codes}, "score exactly"),
    ):
        with pytest.raises(InputError, match=reason):
            blind.seal(engine, "ruta", "e-1", scores)


def test_a_conflict_stops_the_assessor(put, applied) -> None:
    engine = put(assessors=1)
    codes = [applied(engine, "firma-ac")]
    with pytest.raises(RefusedError, match="only while it is assessing"):
        selection.attest(engine, "ruta", "e-1", None, "e-1")
    selection.close(engine, "ruta", "ana")
    with pytest.raises(RefusedError, match="has not declared"):
        blind.seal(engine, "ruta", "e-1", score(codes, 3))
    selection.attest(engine, "ruta", "e-1", "Es mi antiguo empleador", "e-1")
    with pytest.raises(RefusedError, match="stopped by a conflict"):
        blind.seal(engine, "ruta", "e-1", score(codes, 3))
    with pytest.raises(RefusedError, match="declared already"):
        selection.attest(engine, "ruta", "e-1", None, "e-1")
    with pytest.raises(InputError, match="no official «ajena» of villa"):
        selection.attest(engine, "ruta", "ajena", None, "x")
    with pytest.raises(RefusedError, match="has left the post"):
        selection.attest(engine, "ruta", "ida", None, "x")


def test_scores_of_an_assessor_who_is_stopped_later_do_not_count(put, applied) -> None:
    engine = put(assessors=1)
    codes = [applied(engine, "firma-ac"), applied(engine, "firma-be")]
    selection.close(engine, "ruta", "ana")
    assessed(engine, {"e-1": score(codes, 5, 1)})
    # e-2 sealed before anything was opened in a process that asks for one assessor only
    with pytest.raises(RefusedError, match="no assessor"):
        selection.stop_assessor(engine, "ruta", "e-2", "x", "ana")
    selection.stop_assessor(engine, "ruta", "e-1", "Reconoció a un postulante", "ana")
    with pytest.raises(RefusedError, match="missing or sealed"):
        blind.select(engine, "ruta")


def test_a_withdrawn_application_leaves_without_a_trace_of_whose_it_was(put, applied) -> None:
    engine = put()
    codes = [applied(engine, f"firma-{name}") for name in ("ac", "be", "ci")]
    selection.close(engine, "ruta", "ana")
    for official in ("e-1", "e-2"):
        selection.attest(engine, "ruta", official, None, official)
    sealed = [blind.seal(engine, "ruta", o, score(codes, 5, 4, 1)) for o in ("e-1", "e-2")]
    selection.withdraw(engine, "ruta", codes[0], "Se retira", "ana")
    with pytest.raises(InputError, match="could be withdrawn"):
        selection.withdraw(engine, "ruta", codes[0], "otra vez", "ana")
    for one in sealed:
        blind.unseal(engine, one)
    outcome = blind.select(engine, "ruta")
    assert outcome.chosen == [codes[1]]
    assert codes[0] not in selection.reveal(engine, "ruta", "ana")
    with pytest.raises(RefusedError, match="stays unknown"):
        selection.identity(engine, "ruta", codes[0], "ana")


def test_whoever_withdrew_may_apply_again_but_nobody_twice(put, applied) -> None:
    engine = put()
    code = applied(engine, "firma-ac")
    with pytest.raises(RefusedError, match="applied already"):
        applied(engine, "firma-ac")
    selection.withdraw(engine, "ruta", code, "corrige", "ana")
    assert applied(engine, "firma-ac") != code
    with pytest.raises(InputError, match="no startup «nadie»"):
        applied(engine, "nadie")


def test_a_call_takes_applications_only_on_its_days(put, applied) -> None:
    engine = put(opens_on="2020-01-01", closes_on="2020-02-01")
    with pytest.raises(RefusedError, match="from 2020-01-01 to 2020-02-01"):
        applied(engine, "firma-ac")


def test_a_single_applicant_needs_a_reason_and_the_record_says_so(put, applied) -> None:
    engine = put()
    codes = [applied(engine, "firma-ac")]
    selection.close(engine, "ruta", "ana")
    assessed(engine, {"e-1": score(codes, 5), "e-2": score(codes, 5)})
    with pytest.raises(RefusedError, match="single applicant"):
        blind.select(engine, "ruta")
    outcome = blind.select(engine, "ruta", "Nadie más lo ofrece")
    assert outcome.chosen == codes
    assert "no pudo ser ciego. Motivo: Nadie más lo ofrece" in told(outcome.notes[0])


def test_nobody_applies_and_nobody_is_good_enough(put, applied) -> None:
    engine = put()
    assert selection.close(engine, "ruta", "ana") == 0
    assert state(engine) == "void"


def test_below_the_threshold_the_call_is_void(put, applied) -> None:
    engine = put()
    codes = [applied(engine, "firma-ac"), applied(engine, "firma-be")]
    selection.close(engine, "ruta", "ana")
    assessed(engine, {"e-1": score(codes, 2, 1), "e-2": score(codes, 2, 1)})
    outcome = blind.select(engine, "ruta")
    assert (outcome.chosen, state(engine)) == ([], "void")
    assert "el puntaje mínimo de 3: desierta" in told(outcome.notes[-1])


def test_ties_are_broken_by_need_then_experience_then_novelty_then_lot() -> None:
    def scored(novelty: int, need: int, experience: int) -> dict[str, int]:
        return {"novelty": novelty, "need": need, "experience": experience}

    by_need = blind.rank(
        ["A", "B"], [{"A": scored(5, 3, 4), "B": scored(3, 5, 4)}], ["s"], places=1, threshold=1
    )
    assert by_need.chosen == ["B"]
    assert "entre B y A: se resolvió por los criterios" in told(by_need.notes[0])
    same = {"A": scored(3, 3, 3), "B": scored(3, 3, 3)}
    winners = {
        blind.rank(["A", "B"], [same], [salt], places=1, threshold=1).chosen[0]
        for salt in "abcdefgh"
    }
    assert winners == {"A", "B"}  # the lot is of the salts, not of the codes
    lots = blind.rank(["A", "B"], [same], ["x", "y"], places=1, threshold=1)
    assert lots == blind.rank(["B", "A"], [same], ["y", "x"], places=1, threshold=1)
    assert "por sorteo" in told(lots.notes[0])


@given(st.data())
def test_nobody_is_chosen_over_a_better_one(data: st.DataObject) -> None:
    codes = [f"P-{i}" for i in range(data.draw(st.integers(1, 8)))]
    one = st.fixed_dictionaries({name: st.integers(1, 5) for name in blind.CRITERIA})
    scores = data.draw(
        st.lists(st.fixed_dictionaries(dict.fromkeys(codes, one)), min_size=1, max_size=4)
    )
    places = data.draw(st.integers(1, 5))
    outcome = blind.rank(codes, scores, ["s"], places, threshold=3)
    chosen = [r.total for r in outcome.ranking if r.chosen]
    others = [r.total for r in outcome.ranking if not r.chosen and r.total >= 3]
    assert len(chosen) <= places
    assert min(chosen, default=5) >= max(others, default=0)
    assert sorted(r.application for r in outcome.ranking) == sorted(codes)


def test_thirteen_organisations_present_challenges_and_four_are_chosen(put, applied) -> None:
    engine = put(kind="challenge", places=4)
    codes = [applied(engine, f"org-{i}") for i in range(13)]
    with pytest.raises(InputError, match="no entity «firma-ac»"):
        applied(engine, "firma-ac")
    selection.close(engine, "ruta", "ana")
    points = [5, 5, 5, 5, *[4] * 4, *[3] * 5]
    assessed(engine, {"e-1": score(codes, *points), "e-2": score(codes, *points)})
    assert sorted(blind.select(engine, "ruta").chosen) == sorted(codes[:4])
    assert len(selection.reveal(engine, "ruta", "ana")) == 13


def test_an_interrupted_process_is_handed_over_and_goes_on_where_it_was(put, applied) -> None:
    engine = put()
    codes = [applied(engine, "firma-ac"), applied(engine, "firma-be")]
    selection.close(engine, "ruta", "ana")
    selection.attest(engine, "ruta", "e-1", None, "e-1")
    sealed = blind.seal(engine, "ruta", "e-1", score(codes, 5, 1))
    selection.interrupt(engine, "ruta", TODAY, "Cambio de gestión", "ana")
    with pytest.raises(RefusedError, match="is interrupted"):
        selection.attest(engine, "ruta", "e-2", None, "e-2")
    with pytest.raises(RefusedError, match="not handed over"):
        selection.resume(engine, "ruta", TODAY, "eva")
    with pytest.raises(RefusedError, match="before the interruption"):
        selection.hand_over(engine, "ruta", at(1, month=2).date(), "eva")
    selection.hand_over(engine, "ruta", TODAY, "ana")
    pack = hand_over_pack(engine, "ruta")
    assert "Cambio de gestión" in pack
    assert sealed.commitment in pack
    assert "cadena íntegra" in pack
    assert "firma" not in pack.lower()
    assert selection.resume(engine, "ruta", TODAY, "eva") == "assessing"
    selection.stop_assessor(engine, "ruta", "e-1", "Dejó el cargo", "eva")
    assessed(engine, {"e-2": score(codes, 1, 5), "e-3": score(codes, 1, 5)})
    assert blind.select(engine, "ruta").chosen == [codes[1]]


def test_a_published_call_cannot_be_changed_by_an_import(put, tmp_path: Path) -> None:
    engine = put()
    path = tmp_path / "again.yml"
    path.write_text(yaml.safe_dump(records(threshold=1.0), allow_unicode=True), encoding="utf-8")
    done = import_records(engine, path, replace=True)
    assert "can no longer be changed" in str(done.problems[0])


def test_what_an_administrator_changes_in_the_scores_shows(put, applied) -> None:
    engine = put(assessors=1)
    codes = [applied(engine, "firma-ac"), applied(engine, "firma-be")]
    selection.close(engine, "ruta", "ana")
    assessed(engine, {"e-1": score(codes, 5, 3)})
    assert blind.changed_scores(engine) == []
    with engine.begin() as connection:
        connection.execute(update(AssessmentRow).values(scores=score(codes, 1, 5)))
    assert blind.changed_scores(engine) == [("ruta", "e-1")]


def test_a_page_of_calls_says_what_each_waits_for(put, applied) -> None:
    engine = put()
    applied(engine, "firma-ac")
    assert [(row["code"], row["applications"]) for row in calls(engine)] == [("ruta", 1)]
    assert "match close ruta" in call_page(engine, "ruta").waits_for
