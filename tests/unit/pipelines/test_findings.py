"""What is told of numbers, and what is not."""

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from configs.load import load_taxonomy
from models.records import Window
from pipelines.alarm import Alarm, Cell, Daily, Measure
from pipelines.findings import (
    Finding,
    Kind,
    alerted,
    angrier,
    changed,
    growths,
    leading,
    told,
    unexpected,
    voices,
)
from pipelines.report.formats import formats
from pipelines.sentences import LANGUAGES, sentence
from tests.unit.certificate import certified
from tests.unit.store.builders import LIMA, municipality

TAXONOMY = load_taxonomy()
START = date(2026, 3, 1)
MARCH = Window(START, date(2026, 3, 31), LIMA)
VILLA = municipality(
    areas=[{"name": "Gerencia de Agua", "categories": ["water"]}],
    expectations=[{"by": "Funcionarios", "work_category": 5}],
    zones=[{"code": "centro", "name": "El Centro"}],
)


def heard(**counts: tuple[int, int]) -> pd.DataFrame:
    """So many texts of each category, and so many of them negative, by as many authors."""
    rows = [
        {
            "id": f"{category}-{at}",
            "category": category,
            "cluster": f"{category}-{at}",
            "author": f"a-{category}-{at}",
            "said_on": START + timedelta(days=at % 30),
            "sentiment": "negative" if at < negative else "neutral",
        }
        for category, (n, negative) in counts.items()
        for at in range(n)
    ]
    return pd.DataFrame(rows)


def test_copies_and_loud_authors_are_one_voice() -> None:
    said = heard(water=(10, 0))
    copies = pd.concat([said, said.assign(id=said["id"] + "x")])
    assert len(voices(copies)) == 10
    loud = said.assign(author="a", said_on=START)
    assert len(voices(loud)) == 1
    assert len(voices(said.assign(author=None, said_on=START))) == 10  # nobody knows who


def test_the_category_that_is_surely_ahead_is_told_with_who_is_in_charge() -> None:
    (finding,) = leading(heard(water=(120, 0), transport=(60, 0), other=(500, 0)), VILLA)
    assert finding.kind is Kind.RELEVANT
    assert finding.subject == "category:water"
    assert finding.value == pytest.approx(120 / 680)
    assert finding.low < finding.value < finding.high
    assert len(finding.ids) == 120
    said = sentence(finding, "es", VILLA, TAXONOMY)
    assert "120 de 680 voces" in said
    assert "Gerencia de Agua" in said


@pytest.mark.parametrize(
    "counts", [{"water": (61, 0), "transport": (60, 0)}, {"water": (20, 0), "transport": (3, 0)}]
)
def test_a_narrow_lead_and_few_voices_are_not_told(counts: dict[str, tuple[int, int]]) -> None:
    assert leading(heard(**counts), VILLA) == []


def test_what_is_far_angrier_than_the_rest_is_told_and_nothing_else() -> None:
    found = angrier(heard(water=(100, 80), transport=(200, 80), culture=(300, 120)), VILLA)
    assert [finding.subject for finding in found] == ["category:water"]
    (finding,) = found
    assert finding.value == pytest.approx(80 / 100 - 200 / 500)
    assert finding.low > 0.2
    assert finding.q < 0.001
    assert all(text.startswith("water-") for text in finding.ids)
    assert len(finding.ids) == 80


def test_officials_who_expected_something_else_are_told() -> None:
    texts = heard(transport=(90, 0), water=(60, 0), governance=(40, 0))
    (finding,) = unexpected(texts, VILLA, TAXONOMY)
    assert finding.kind is Kind.SURPRISE
    assert finding.statistic["rank"] == 3
    said = sentence(finding, "es", VILLA, TAXONOMY)
    assert "«Comunicación y reputación»" in said
    assert "90 de 190 voces" in said
    assert "puesto 3" in said
    assert unexpected(heard(governance=(90, 0), water=(60, 0)), VILLA, TAXONOMY) == []
    assert unexpected(heard(governance=(60, 0), water=(64, 0)), VILLA, TAXONOMY) == []


def daily(before: dict[str, int], after: dict[str, int], lost: int | None = None) -> Daily:
    """Thirty days before March and March: so many voices a day from each of two sources."""
    cells = tuple(Cell("category", code) for code in before)
    days = tuple(START + timedelta(days=at) for at in range(-30, 30))
    each = np.array([[before[c.value]] * 30 + [after[c.value]] * 30 for c in cells], dtype=float)
    voices_ = np.repeat(each[:, :, None], 2, axis=2)
    read = np.ones((60, 2), dtype=bool)
    if lost is not None:
        read[:30, lost] = False
        voices_ *= read[None]
    return Daily(cells, days, ("diario", "foro"), voices_, voices_ * 0, read)


def test_a_share_that_changed_since_the_days_before_is_told_both_ways() -> None:
    now = heard(water=(60, 0), transport=(60, 0))
    found = changed(daily({"water": 2, "transport": 8}, {"water": 6, "transport": 8}), MARCH, now)
    assert {finding.rule: finding.subject for finding in found} == {
        "risen": "category:water",
        "fallen": "category:transport",
    }
    risen = next(finding for finding in found if finding.rule == "risen")
    assert risen.value == pytest.approx(6 / 14 - 2 / 10)
    assert risen.low > 0


def test_a_source_that_was_not_read_before_changes_no_share() -> None:
    now = heard(water=(60, 0))
    same = {"water": 4, "transport": 8}
    assert changed(daily(same, same, lost=0), MARCH, now) == []
    assert changed(daily(same, same), MARCH, now) == []


def test_growth_is_measured_against_all_that_is_said() -> None:
    steady = [START + timedelta(days=at) for at in range(30) for _ in range(4)]
    late = [START + timedelta(days=at) for at in range(24, 30) for _ in range(3)]
    new, old = growths([late, steady], MARCH, steady + late)
    assert (new.recent, new.before) == (18, 0)
    assert new.q < 0.001
    assert old.q > 0.05
    assert old.factor == pytest.approx(1, abs=0.05)


def test_alarms_of_following_days_are_one_alert_and_one_forwarded_text_is_none() -> None:
    days = [START + timedelta(days=at) for at in (3, 4, 9)]
    cell = Cell("category+zone", "water+centro")
    raised = [Alarm(Measure.VOLUME, cell, d, 20, 20, 3.0, 0, 8, 1e-6, 1e-4, 2) for d in days]
    texts = heard(water=(120, 0))
    zones = pd.Series("centro", index=texts.index)
    steady = daily({"water": 2}, {"water": 2})
    first, second = alerted(raised, steady, texts, zones)
    assert (first.statistic["days"], second.statistic["days"]) == (2, 1)
    said = sentence(first, "es", VILLA, TAXONOMY)
    assert "El Centro" in said
    first_days = " y el ".join(f"{day.day} de marzo de 2026" for day in days[:2])
    assert f"Fueron 2 días, entre el {first_days}." in said
    assert alerted(raised, steady, texts.assign(cluster="the same"), zones) == []
    assert alerted(raised, steady, texts, zones.map({"centro": "otra"})) == []


def test_anger_over_a_week_is_told_with_both_shares_of_the_cell_or_of_its_category() -> None:
    texts = heard(water=(120, 60))
    zones = pd.Series("centro", index=texts.index)
    told = {of: _anger(texts, zones, of) for of in ("category+zone", "category")}
    said = {of: sentence(each, "es", VILLA, TAXONOMY) for of, each in told.items()}
    assert "24 de 30 voces negativas (80.0%" in said["category+zone"]
    assert "frente al 40.0% (160 de 400) en los 56 días anteriores" in said["category+zone"]
    assert "frente al 40.0% (160 de 400) de todo «" in said["category"]
    assert {each.n for each in told.values()} == {30}
    assert told["category"].statistic["until"] == "2026-03-10"
    assert told["category"].statistic["day"] == "2026-03-04"


def _anger(texts: pd.DataFrame, zones: pd.Series, past: str) -> Finding:
    cell = Cell("category+zone", "water+centro")
    alarm = Alarm(
        Measure.NEGATIVITY,
        cell,
        START + timedelta(days=9),
        *(24, 30, 12.0, 8, 17, 1e-6, 1e-4, 2),
        days=7,
        past_count=160,
        past_n=400,
        past_days=56,
        past_cell=cell if past == cell.dimension else Cell("category", "water"),
    )
    (finding,) = alerted([alarm], daily({"water": 2}, {"water": 2}), texts, zones)
    return finding


def _burst(share: float) -> Finding:
    """Tell of two loud days of which such a share is negative, after a month with 25 %."""
    cell, days = Cell("category", "water"), [START + timedelta(days=at) for at in (3, 4)]
    heard_daily = daily({"water": 2}, {"water": 2})
    voices, negative = heard_daily.voices.copy(), heard_daily.voices / 4
    voices[0, 33:35] = 10
    negative[0, 33:35] = 10 * share
    raised = [Alarm(Measure.VOLUME, cell, d, 20, 20, 4.0, 0, 9, 1e-6, 1e-4, 2) for d in days]
    texts = heard(water=(120, 60))
    burst = replace(heard_daily, voices=voices, negative=negative)
    (finding,) = alerted(raised, burst, texts, pd.Series("centro", index=texts.index))
    return finding


def test_a_burst_is_told_to_be_angrier_only_where_its_share_says_so() -> None:
    angry, usual = _burst(0.8), _burst(0.3)
    assert (angry.rule, usual.rule) == ("volume", "volume")
    assert (angry.statistic["tone_count"], angry.statistic["tone_n"]) == (32, 40)
    assert angry.statistic["tone_before_n"] == 33 * 4
    assert "32 de 40 voces de esos días son negativas" in sentence(angry, "es", VILLA, TAXONOMY)
    assert [name for name in usual.statistic if name.startswith("tone")] == []
    assert "negativas" not in sentence(usual, "es", VILLA, TAXONOMY)


def one_of_each_with_shares() -> list[Finding]:
    """Return a finding of every rule whose sentence prints a share."""
    texts = heard(transport=(190, 20), water=(100, 80), governance=(40, 0))
    findings = [
        *leading(texts, VILLA),
        *angrier(texts, VILLA),
        *unexpected(texts, VILLA, TAXONOMY),
        *changed(daily({"water": 2, "transport": 8}, {"water": 6, "transport": 8}), MARCH, texts),
        _anger(texts, pd.Series("centro", index=texts.index), "category"),
        _burst(0.8),
    ]
    assert {finding.rule for finding in findings} == {
        *("leading", "angrier", "unexpected", "risen", "fallen", "negativity", "volume")
    }
    return findings


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_a_sentence_is_in_its_statistic(language: str) -> None:
    for finding in one_of_each_with_shares():
        known = {f"{v:,}" for v in finding.statistic.values() if isinstance(v, int)}
        floats = [v for v in finding.statistic.values() if isinstance(v, float)]
        known |= {f"{v:,.1f}" for v in floats} | {f"{v:.1%}" for v in floats}
        known |= _dates(finding, language)
        words = sentence(finding, language, VILLA, TAXONOMY).replace("95%", "").split()
        printed = [w.strip("().,;:") for w in words if any(c.isdigit() for c in w)]
        assert printed
        assert [p for p in printed if p not in known] == []


def _dates(finding: Finding, language: str) -> set[str]:
    """Return the numbers of a finding's days as they are printed."""
    days = [
        finding.statistic[name] for name in ("day", "since", "until") if name in finding.statistic
    ]
    shown = formats(language, LIMA)
    words = {word for day in days for word in shown.day(date.fromisoformat(day)).split()}
    return {word.strip(",") for word in words}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_share_of_a_sentence_passes_the_certificate(language: str) -> None:
    of = {"share": "n", "expected_share": "n", "rest_share": "rest_n", "before_share": "before_n"}
    of |= {"tone_share": "tone_n", "tone_before_share": "tone_before_n"}
    for finding in one_of_each_with_shares():
        told = finding.statistic
        shares = {f"{told[name]:.1%}": told[n] for name, n in of.items() if name in told}
        ends = {"low", "high", "tone_low", "tone_high"} & told.keys()
        ends = {f"{told[name]:.1%}" for name in ends}
        said = sentence(finding, language, VILLA, TAXONOMY).replace("95%", "")
        printed = re.findall(r"[\d.]+%", said)
        assert set(printed) == shares.keys() | ends
        assert [pair for pair in shares.items() if not certified(*pair)] == [], finding.rule


def test_at_most_five_of_a_kind_are_told_alerts_first() -> None:
    texts = heard(**dict.fromkeys(("water", "waste", "energy", "health", "security"), (60, 50)))
    many = angrier(pd.concat([texts, heard(culture=(900, 0))]), VILLA) * 2
    lead = leading(heard(water=(120, 0), transport=(60, 0)), VILLA)
    assert len(told([*many, *lead])) == 5
