"""Reasons of failed sources: each is told in both languages, and its sentence kept."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.schema import Source
from crawlers.extract.walls import wall
from crawlers.protocols.secret import token_of
from models.reasons import Reason, understood
from models.records import Condition, Health, Outcome
from pipelines.health import why_resting
from pipelines.report.page import render
from pipelines.report.texts import texts
from pipelines.report.why import told
from tests.unit.report.town import Town, municipality

VALUES = {
    "url": "https://diario.example.pe/feed.xml",
    "site": "https://diario.example.pe",
    "host": "diario.example.pe",
    "variable": "DIARIO_TOKEN",
    "status": "503",
    "number": "1,024.5",
    "bound": "3",
    "code": " (code 190)",
    "why": "https://diario.example.pe/feed.xml cannot be read: connection refused",
    "when": "2026-12-01 08:00",
    "day": "2026-12-01",
    "source": "diario",
    "name": "author",
    "detail": "something, at x.py:3",
}
SPANISH_ONLY = ("el", "la", "no", "se", "de", "las", "lo", "su", "tras", "por")


def fields(reason: Reason) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(reason.value) if name}


@pytest.mark.parametrize("reason", list(Reason), ids=lambda reason: reason.name)
def test_every_reason_is_understood_and_told_in_both_languages(reason):
    sentence = reason.said(**{name: VALUES[name] for name in fields(reason)})
    found = understood(sentence)
    assert found is not None
    assert found.reason is reason
    assert found.values == {name: VALUES[name] for name in fields(reason)}
    spanish, english = (told(sentence, texts(language)) for language in ("es", "en"))
    assert spanish != english
    assert "{" not in spanish + english
    assert set(spanish.lower().replace(",", "").split()) & set(SPANISH_ONLY)
    assert "https://" not in spanish


@given(st.text(max_size=300))
def test_any_sentence_is_told_somehow(sentence):
    assert told(sentence, texts("es"))


@pytest.mark.parametrize(
    ("sentence", "spanish"),
    [
        (
            "https://a.pe/x answered 404",
            "El sitio no dio lo que se pidió: la página no existe (404).",
        ),
        (
            "https://a.pe/x answered 502",
            "El sitio no dio lo que se pidió: el sitio tiene una falla.",
        ),
        ("https://a.pe/x holds no list of posts", texts("es")("why.unexpected")),
        (
            "it was stopped; the source has changed: no record has the field «url» any more; "
            "0.20 manifestations a day, and at least 3 are expected",
            "Alguien detuvo la lectura. Además, la fuente cambió: ningún registro trae ya el"
            " campo «url»; da 0.20 manifestaciones por día y se esperan al menos 3.",
        ),
        (
            "3 × no_date, 1 × no_text",
            "Registros que no se guardaron: sin fecha (3); sin texto (1).",
        ),
        ("Traceback of an older version", "Hubo un problema técnico."),
    ],
)
def test_sentences_that_the_ledger_holds_are_told(sentence, spanish):
    assert told(sentence, texts("es")) == spanish


def test_walls_tokens_and_quarantines_are_told(monkeypatch):
    captcha = wall(b"<title>Just a moment</title><div class='g-recaptcha'></div>", "https://a.pe/")
    assert understood(f"https://a.pe/ {captcha}").reason is Reason.CAPTCHA
    monkeypatch.delenv("X_TOKEN", raising=False)
    source = {"name": "x", "title": "X", "protocol": "mastodon", "url": "https://a.pe/"}
    with pytest.raises(LookupError) as error:
        token_of(Source.model_validate(source | {"token": "X_TOKEN"}))
    assert "X_TOKEN" in told(str(error.value), texts("es"))
    health = Health(state=Condition.QUARANTINED, failures=3, reason="https://a.pe/ answered 503")
    spanish = told(why_resting(health, municipality()), texts("es"))
    assert spanish.startswith("En cuarentena tras 3 ejecuciones fallidas (el sitio no dio")
    assert "no atiende por ahora (503)" in spanish


def test_outcomes_that_an_import_counts_have_names():
    names = {outcome: texts("es").name("outcome", outcome) for outcome in Outcome}
    assert [outcome for outcome, name in names.items() if name == outcome] == []


@pytest.mark.parametrize(
    ("language", "said"), [("es", "El sitio no respondió en 30"), ("en", "The site did not answer")]
)
def test_the_report_tells_the_reason_and_keeps_its_sentence(gathered, language, said):
    sentence = "https://foro.example.pe/feed.xml did not answer within 30 seconds"
    page = render(gathered(Town(failed={"fuente-8": sentence}, state="partial")), language)
    assert page.count(said) == 2
    assert page.count(f'<span lang="en"><bdi dir="auto">{sentence}') == 2
