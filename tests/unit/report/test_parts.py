"""The small parts: words, formats, strangers' texts, charts."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from pipelines.report.charts import Bar, Caption, Point, bars, negative_share, volume
from pipelines.report.formats import formats
from pipelines.report.recount import quoted
from pipelines.report.safe import clean, host_of, shorten, web_link
from pipelines.report.texts import texts

LIMA = ZoneInfo("America/Lima")


def test_languages_have_the_same_keys_and_placeholders():
    es, en = texts("es").words, texts("en").words
    assert set(es) == set(en)
    for key, text in es.items():
        assert sorted(_names(text)) == sorted(_names(en[key])), key


def _names(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}


def test_peru_writes_numbers_and_dates_as_babel_says():
    f = formats("es", LIMA)
    assert f.integer(5796) == "5,796"
    assert f.percent(0.3524) == "35.2%"
    assert f.percent(0.3524, 2) == "35.24%"
    assert f.short_day(date(2021, 9, 5)) == "5 set."
    assert f.period(date(2021, 11, 1), date(2021, 12, 1)) == "1–30 de noviembre de 2021"
    assert f.period(date(2021, 11, 1), date(2021, 11, 2)) == "1 de noviembre de 2021"


def test_moments_are_local():
    moment = datetime(2021, 12, 1, 3, 5, tzinfo=UTC)
    f = formats("es", LIMA)
    assert f.local_day(moment) == "30 nov. 2021"
    assert f.moment(moment).startswith("30 de noviembre de 2021, 10:05")
    assert formats("en", LIMA).moment(moment).endswith("10:05\u202fPM GMT-05:00")


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("corto", 10, "corto"),
        ("una frase de varias palabras", 17, "una frase de…"),
        ("justo diez", 10, "justo diez"),
        ("x" * 50, 10, "xxxxxxxxx…"),
        ("termina, aquí mismo", 12, "termina…"),
        ("", 10, ""),
    ],
)
def test_shorten(text, limit, expected):
    assert shorten(text, limit) == expected


def test_clean_drops_direction_controls_and_towers_of_accents():
    assert clean("a\u202eb\u2066c\u200f\x00\ufeff") == "abc"
    assert clean("a\n\t b\u2028c") == "a b c"
    assert clean("e" + "\u0301" * 50) == "e" + "\u0301" * 3
    assert clean("👩\u200d🚒") == "👩\u200d🚒"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "/relativa",
        "//host/x",
        "https://",
        "http://[mal",
        "https://a.pe/con espacio",
        "https://a.pe/\u202etxt",
        "java\nscript:alert(1)",
        "https://a.pe/" + "x" * 1000,
    ],
)
def test_addresses_that_are_not_linked(url):
    assert web_link(url) is None


def test_addresses_that_are_linked():
    assert web_link("https://a.pe/n?x=1&y=2") == "https://a.pe/n?x=1&y=2"
    assert host_of("https://banco.pe@evil.example/") == "evil.example"


def test_literals_are_quoted():
    assert quoted("a'; DROP TABLE run; --") == "'a''; DROP TABLE run; --'"


def test_charts_are_named_and_share_no_ids():
    items = [
        Bar("<b>Uno</b>", "100.0% (1)", 1.0, 0.2, 1.0),
        Bar("Dos", "sin dato", None, None, None),
    ]
    chart = bars(items, Caption("c", 'Título "x" & <y>', "Descripción"))
    for svg in (chart.wide, chart.narrow):
        assert 'role="img"' in svg
        assert "&lt;y&gt;" in svg
        assert "<b>" not in svg
        assert "NaN" not in svg
    assert 'id="c-w-title"' in chart.wide
    assert 'id="c-n-title"' in chart.narrow


def test_charts_of_one_size_show_each_its_own_rows():
    """What they are drawn in is made once, and is no chart's own."""

    def drawn(label: str, share: float) -> str:
        some = (Bar(label, "text", share, share - 0.05, share + 0.05), Bar("b", "-", 0.2, 0.2, 0.2))
        return bars(some, Caption("c", "t", "d")).wide

    first, second = drawn("parques", 0.3), drawn("agua", 0.9)
    of_one, of_other = ("parques", ">30%<"), ("agua", ">80%<")  # a name, and a mark of the axis
    assert all(part in first for part in of_one)
    assert not any(part in first for part in of_other)
    assert all(part in second for part in of_other)
    assert of_one[0] not in second
    assert drawn("parques", 0.3) == first


def test_day_charts_of_one_day_and_without_shares():
    point = Point(0, "1 nov.", 0, 0, None, None, None, complete=False)
    for draw in (volume, negative_share):
        assert "NaN" not in draw([point], 1, Caption("d", "t", "d")).wide
