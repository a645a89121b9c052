"""Every Spanish sentence of a page has its English."""

from pathlib import Path

import jinja2.ext
import pytest
from babel.messages.extract import extract_from_file

import dashboard
from dashboard.words import LOCALE, catalogue, translator
from models.insight_tables import INSIGHT_TABLES
from pipelines.match.noted import NOTED
from pipelines.match.read import AWAITED

HOUSE = Path(dashboard.__file__).parent


def messages(path: Path) -> set[str]:
    keywords = {"_": None, "N_": None}
    if path.suffix == ".py":
        found = extract_from_file("python", path, keywords=keywords)
        return {str(message) for _, message, _, _ in found}
    with path.open("rb") as file:
        found = list(jinja2.ext.babel_extract(file, ["_"], [], {}))
    first = [m[0] if isinstance(m, tuple) else m for _, _, m, _ in found]
    return {message for message in first if message}  # None: of a variable


FILES = sorted([*HOUSE.rglob("*.py"), *HOUSE.rglob("*.j2")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(HOUSE)))
def test_every_message_has_its_english(path: Path) -> None:
    assert sorted(messages(path) - set(catalogue("en"))) == []


STORED = {*AWAITED.values(), *NOTED.values()}


def test_what_a_call_waits_for_and_its_record_notes_have_their_english() -> None:
    assert STORED - set(catalogue("en")) == set()


def test_no_translation_is_left_over() -> None:
    used = STORED.union(*(messages(path) for path in FILES))

    assert sorted(set(catalogue("en")) - used) == []


def test_values_stand_in_the_translation_too() -> None:
    from string import Formatter

    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert {es for es, en in catalogue("en").items() if names(es) != names(en)} == set()


def test_spanish_is_the_message_itself() -> None:
    assert translator("es")("{n} de {m}", n=1, m=2) == "1 de 2"
    assert (LOCALE / "en").is_dir()


def test_what_the_insight_tables_say_of_themselves_has_its_spanish() -> None:
    tables = [table.__table__ for table in INSIGHT_TABLES]
    said = {t.comment for t in tables} | {c.comment for t in tables for c in t.columns}

    assert {comment for comment in said if not catalogue("es").get(str(comment))} == set()
    assert set(catalogue("es")) - said == set()
