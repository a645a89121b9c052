import re
from collections import Counter
from math import isnan
from pathlib import Path

import pytest
from lxml import html
from sqlalchemy import text

from models.errors import ManifiestaError
from models.insight_tables import InsightCategory, InsightDay, InsightPlace, InsightSource
from models.labels import CATEGORIES
from pipelines.report import page as page_module
from pipelines.report.gather import gather
from pipelines.report.page import FILES, render, write_report
from pipelines.suppress import COMPLEMENT, SENTIMENT, SMALL, SUPPRESSED, suppress
from tests.unit.report.town import RUN, Said, Town, busy_town, municipality, taxonomy

EVIL = '<script>window.hit=1</script><img src=x onerror="window.hit=1">'
RTL = "\u202egnp.exe\u202c"


def shown(page: str) -> str:
    tree = html.fromstring(page)
    for style in tree.iter("style"):
        style.text = ""
    return re.sub(r"\s+", " ", tree.text_content())


def cells(page: str, table: str) -> list[list[str]]:
    rows = html.fromstring(page).xpath(f"//table[@id='{table}']/tbody/tr")
    return [[re.sub(r"\s+", " ", c.text_content()).strip() for c in row] for row in rows]


def percent(value: float | None, decimals: int = 2) -> str:
    return "sin dato" if value is None or isnan(value) else f"{value:.{decimals}%}"


def exact(row: dict, name: str, low: str, high: str) -> list[str]:
    if row[name] is None or isnan(row[name]):
        return ["sin dato", ""]
    return [percent(row[name]), f"{percent(row[low])} a {percent(row[high])}"]


def base(row: dict) -> list[str]:
    counts = [f"{row[c]:,}" for c in ("count", "distinct_count", "n")]
    return counts + exact(row, "share", "share_low", "share_high")


def tones(row: dict) -> list[str]:
    counts = [f"{row[c]:,}" for c in ("negative", "neutral", "positive")]
    return counts + exact(row, "negative_share", "negative_low", "negative_high")


def corrected(row: dict) -> list[str]:
    return exact(row, "corrected_share", "corrected_low", "corrected_high")


def test_the_annex_prints_every_figure_of_the_overview(busy_page, busy_data):
    rows = busy_data.overview.to_dict("records")
    printed = cells(busy_page, "t-insight_overview")
    assert len(printed) == len(rows)
    assert Counter(map(tuple, (row[2:] for row in printed))) == Counter(
        tuple(base(row) + corrected(row)) for row in rows
    )


def test_the_annex_prints_every_figure_of_the_categories(busy_page, busy_data):
    printed = {row[0]: row[1:] for row in cells(busy_page, "t-insight_category")}
    assert len(printed) == 16
    for row in busy_data.category.to_dict("records"):
        name = busy_data.taxonomy.category(row["category"]).es + row["category"]
        assert printed[name] == base(row) + corrected(row) + tones(row) + [str(row["unsure"])]


def test_the_annex_prints_every_figure_of_the_days(busy_page, busy_data):
    rows = busy_data.day.to_dict("records")
    assert cells(busy_page, "t-insight_day") == [
        [str(row["day"]), "sí" if row["complete"] else "no", *base(row), *tones(row)]
        for row in rows
    ]


def test_the_annex_prints_every_figure_of_the_sources(busy_page, busy_data):
    printed = {row[0]: row[1:] for row in cells(busy_page, "t-insight_source")}
    for row in busy_data.source.to_dict("records"):
        name = busy_data.source_titles[row["source"]] + row["source"]
        ends = [str(row["rejected"]), str(row["ignored"])]
        assert printed[name] == [row["state"], *base(row), *tones(row), *ends]


def test_the_annex_prints_every_figure_of_the_zones(busy_page, busy_data):
    printed = cells(busy_page, "t-insight_place")
    names = {"santa-clara": "Santa Clara", "huaycan": "Huaycán", "vitarte": "Vitarte"}
    assert {row[0]: row[1:] for row in printed} == {
        names.get(row["zone"], "No se nombra ninguna zona") + row["zone"]: [
            *base(row),
            *tones(row),
            str(row["inherited"]),
        ]
        for row in busy_data.place.to_dict("records")
    }
    assert [row[0].split("(")[0] for row in printed] == [
        "Huaycánhuaycan",
        "Santa Clarasanta-clara",
        "Vitartevitarte",
        "No se nombra ninguna zona",
    ]


def test_the_places_print_the_same_shares(busy_page, busy_data):
    names = {"santa-clara": "Santa Clara", "huaycan": "Huaycán", "vitarte": "Vitarte"}
    printed = {row[0]: row[1:] for row in cells(busy_page, "tabla-lugares")}
    for row in busy_data.place.to_dict("records"):
        name = names.get(row["zone"], "No se nombra ninguna zona")
        count, share, negative, distinct, inherited = printed[name]
        low, high = percent(row["share_low"], 1), percent(row["share_high"], 1)
        assert (count, distinct) == (str(row["count"]), str(row["distinct_count"]))
        assert inherited == str(row["inherited"])
        assert share.startswith(f"{percent(row['share'], 1)} {low} a {high} n = {row['n']}")
        assert negative.startswith(percent(row["negative_share"], 1))


def test_the_bars_of_the_places_leave_out_what_names_none(busy_page):
    section = html.fromstring(busy_page).get_element_by_id("lugares")
    drawn = [label.text for label in section.iter("{*}text", "text") if label.text]
    assert "Huaycán" in drawn
    assert "No se nombra ninguna zona" not in drawn


def test_a_municipality_without_zones_says_so(gathered):
    said = [Said("fuente-0", "Uno", "water")]
    page = render(gathered(Town(said=said, town=municipality(zones=[]))), "es")
    assert not cells(page, "tabla-lugares")
    assert "No hay zonas en los datos" in shown(page)


def test_the_category_table_prints_the_same_shares(busy_page, busy_data):
    printed = {row[0]: row[1:] for row in cells(busy_page, "tabla-categorias")}
    for row in busy_data.category.to_dict("records"):
        count, share, negative, *_ = printed[busy_data.taxonomy.category(row["category"]).es]
        low, high = percent(row["share_low"], 1), percent(row["share_high"], 1)
        assert count == str(row["count"])
        assert share == f"{percent(row['share'], 1)} {low} a {high} n = {row['n']}"
        assert negative.startswith(percent(row["negative_share"], 1))
        assert f"n = {row['count']}" in negative


def test_the_summary_says_what_the_overview_says(busy_page, busy_data):
    summary = shown(html.tostring(html.fromstring(busy_page).get_element_by_id("resumen")).decode())
    rows = busy_data.overview.query("measure == 'sentiment'").to_dict("records")
    for row in rows:
        interval = f"{percent(row['share_low'], 1)} a {percent(row['share_high'], 1)}"
        assert f"{percent(row['share'], 1)} {interval} {row['count']} de {row['n']}" in summary
    assert "8 de 9 fuentes leídas" in summary
    assert "28 de 30 días completos" in summary


def test_every_share_of_the_main_tables_has_its_interval_and_n(busy_page):
    shares = html.fromstring(busy_page).xpath("//span[@class='share']")
    assert len(shares) > 60
    for share in shares:
        assert re.search(r"[\d.]+%\s+[\d.]+% a [\d.]+%\s+n = [\d,]+", share.text_content())


def test_the_printed_queries_give_the_printed_figures(busy_page, busy_engine):
    queries = [q.text_content() for q in html.fromstring(busy_page).xpath("//pre/code")]
    results = []
    with busy_engine.connect() as connection:
        for query in queries:
            results.append(connection.execute(text(query)).all())
    published, counted, sentences, *_ = results
    assert published[0][:2] == counted[0]
    assert len(sentences) == published[0].count
    assert f"{published[0].count:,} de 900 manifestaciones clasificadas" in shown(busy_page)
    assert [len(rows) for rows in results[3:]] == [17, 16, 1, 30, 30, 9, 8, 4, 3]


def test_failed_sources_and_rejections_are_told(busy_page):
    unread = html.fromstring(busy_page).get_element_by_id("no-leido").text_content()
    assert (
        "Foro Zona Este: no se pudo leer. Motivo: El sitio no respondió en 30 segundos." in unread
    )
    assert ["sin fecha", "rechazado", "6", "Radio Huaycán, noticias"] in cells(
        busy_page, "tabla-rechazos"
    )


def test_responsible_areas_come_from_the_configuration(busy_page):
    areas = dict(cells(busy_page, "tabla-areas"))
    assert areas["Transporte y vías"] == "Subgerencia de Transporte"
    assert areas["Salud"] == "sin área asignada"
    assert len(areas) == len(CATEGORIES) - 1


def test_simulated_data_say_so(busy_page, gathered):
    assert "Pueblo simulado: contenido ficticio" in busy_page
    real = render(gathered(Town(town=municipality(code="ate"))), "es")
    assert "simulado" not in real


def test_english_has_the_same_figures(busy_data, busy_page):
    english = render(busy_data, "en")
    assert "Simulated town: fictitious content" in english
    for table in (
        "t-insight_overview",
        "t-insight_category",
        "t-insight_day",
        "t-insight_place",
    ):
        numbers = [re.findall(r"[\d.,]+%", " ".join(r)) for r in cells(english, table)]
        assert numbers == [re.findall(r"[\d.,]+%", " ".join(r)) for r in cells(busy_page, table)]
    for word in ("Manifestaciones", "Fuentes", "sin dato", "Periodo"):
        assert word not in shown(english)


def test_the_same_data_give_the_same_bytes(busy_data, busy_page):
    assert render(busy_data, "es") == busy_page


@pytest.mark.parametrize("language", ["es", "en"])
def test_nothing_is_loaded_and_nothing_can_run(busy_data, language):
    tree = html.fromstring(render(busy_data, language))
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert "default-src 'none'" in policy
    assert not tree.xpath("//script | //iframe | //object | //img | //link[@rel='stylesheet']")
    assert not [a for e in tree.iter() for a in e.attrib if a.startswith("on")]
    assert not tree.xpath("//@src | //@srcset | //@data")
    links = tree.xpath("//a[starts-with(@href, 'http')]")
    assert links
    assert all(a.xpath("ancestor::*[@id='citas']") for a in links)
    assert "@import" not in (style := tree.xpath("//style")[0].text)
    assert "url(" not in style


def test_ids_are_unique_and_references_resolve(busy_page):
    tree = html.fromstring(busy_page)
    ids = Counter(tree.xpath("//@id"))
    assert not [i for i, n in ids.items() if n > 1]
    references = {h[1:] for h in tree.xpath("//a/@href") if h.startswith("#")}
    references |= {r for v in tree.xpath("//@aria-labelledby") for r in v.split()}
    assert references <= set(ids)


def test_tables_have_captions_and_scopes(busy_page):
    for table in html.fromstring(busy_page).xpath("//table"):
        assert table.xpath("caption//text()")
        assert all(th.get("scope") for th in table.iter("th"))


def hostile_town() -> Town:
    sources = [{"name": "fuente-0", "title": f"{EVIL}{RTL}", "protocol": "feed", "url": "/a"}]
    return Town(
        said=[
            Said(
                "fuente-0", f"{EVIL} {{{{ 7*7 }}}} {RTL}", "transport", title=EVIL, confidence=0.99
            ),
            Said(
                "fuente-0", "m" * 1_000_000, "transport", url="javascript:alert(1)", confidence=0.98
            ),
            Said("fuente-0", "o\u0301" + "\u0301" * 500, "transport", url='https://a.pe/"onx="1'),
            Said("fuente-0", "nulo\x00 y campana\x07", "transport", url="https://pe@evil.example/"),
        ],
        failed={"fuente-0": f"{EVIL}{'z' * 5000}"},
        error=EVIL,
        state="failed",
        town=municipality(name=f"Pueblo {EVIL}{RTL}", sources=sources),
        rejections=[("fuente-0", "<b>raro</b>", False)],
        model="m<b>'",
    )


@pytest.mark.parametrize("language", ["es", "en"])
def test_hostile_texts_are_only_text(gathered, language):
    page = render(gathered(hostile_town()), language)
    tree = html.fromstring(page)
    assert not tree.xpath("//script | //img | //b[text()='raro']")
    assert not [a for e in tree.iter() for a in e.attrib if a.startswith("on")]
    assert not [h for h in tree.xpath("//a/@href") if h.lower().startswith("javascript")]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x07]", page)
    assert "z" * 301 not in page


def test_hostile_quotes_are_shown_and_harmless(gathered):
    town = hostile_town()
    town.model = town.said[0].model
    page = render(gathered(town), "es")
    assert "&lt;script&gt;window.hit=1" in page
    assert "{{ 7*7 }}" in page
    assert "Ver en evil.example" in page
    assert 'href="https://a.pe/&#34;onx=&#34;1"' in page
    assert len(page) < 200_000


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("insights", [True, False])
def test_an_empty_run_reads_well(gathered, language, insights):
    page = render(gathered(Town(insights=insights)), language)
    words = shown(page)
    assert "nan" not in re.findall(r"\w+", words.lower())
    assert "None" not in words
    assert ("No hay manifestaciones" in words) is (language == "es")
    assert "<svg" not in page


@pytest.mark.parametrize("days", [1, 30])
def test_one_manifestation_reads_well(gathered, days):
    page = render(gathered(Town(said=[Said("fuente-0", "Uno", "water")], days=days)), "es")
    words = shown(page)
    assert "1 texto distinto" in words
    assert "100.0% (20.7% a 100.0%; n = 1)" in words
    assert "nan" not in re.findall(r"\w+", words.lower())
    assert "NaN" not in page


def test_missing_corrected_shares_are_explained(gathered):
    page = render(gathered(busy_town(60, corrected=False)), "es")
    assert "no tiene proporciones corregidas" in page


def test_large_counts_and_long_windows(gathered):
    town = busy_town(40, days=400, incomplete_days=frozenset())
    data = gathered(town)
    data.overview.loc[data.overview["measure"] == "total", ["count", "n"]] = 5796
    assert "5,796" in render(data, "es")


def test_files_appear_whole_under_the_run(busy_data, tmp_path):
    path = write_report(busy_data, tmp_path / "new")
    assert path == tmp_path / "new" / RUN / "informe.html"
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(FILES.values())
    for language, other in (("es", "report.en.html"), ("en", "informe.html")):
        tree = html.fromstring((path.parent / FILES[language]).read_text("utf-8"))
        assert tree.xpath("//a[@hreflang]/@href") == [other]


def test_a_failing_disk_leaves_the_old_report(busy_data, tmp_path, monkeypatch):
    path = write_report(busy_data, tmp_path)
    before = path.read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page_module.Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_report(busy_data, tmp_path)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(FILES.values())


@pytest.mark.parametrize("run", ["../fuera", "a/b", "..", "a\\b", "a\u202eb"])
def test_a_run_id_cannot_leave_the_folder(gathered, tmp_path, run):
    data = gathered(Town(run=run))
    with pytest.raises(ManifiestaError, match="cannot name a folder"):
        write_report(data, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def shy_data(busy, busy_engine):
    """The busy town's, with cells of fewer than five authors hidden."""
    return gather(busy_engine, RUN, busy.town, taxonomy())


@pytest.mark.parametrize(
    ("name", "table", "key"),
    [
        ("category", InsightCategory, "category"),
        ("day", InsightDay, "day"),
        ("source", InsightSource, "source"),
        ("place", InsightPlace, "zone"),
    ],
)
def test_the_report_hides_the_cells_that_exports_hide(shy_data, busy_data, name, table, key):
    exported = suppress(getattr(busy_data, name).drop(columns=SUPPRESSED), table, 5)
    printed = cells(render(shy_data, "es"), f"t-{table.__tablename__}")
    assert set(exported[SUPPRESSED]) > {""} or name in ("source", "place")
    for row in exported.to_dict("records"):
        (found,) = [cell for cell in printed if cell[0].endswith(str(row[key]))]
        assert ("oculto" in found) is (row[SUPPRESSED] in {SMALL, COMPLEMENT})
        assert ("·" in found) is bool(row[SUPPRESSED])
        if not row[SUPPRESSED]:
            assert all(figure in found for figure in (*base(row), *tones(row)))


def test_a_hidden_category_is_not_quoted_and_hidden_days_are_told(shy_data):
    page = render(shy_data, "es")
    hidden = shy_data.category[shy_data.category[SUPPRESSED].isin([SMALL, COMPLEMENT])]
    assert not {e.category for e in shy_data.evidence} & set(hidden["category"])
    days = shy_data.day[shy_data.day[SUPPRESSED] == SENTIMENT]
    assert f"{len(days)} días no muestran su parte negativa" in shown(page)
    assert "menos de 5 autores" in shown(page)


@pytest.mark.parametrize(("language", "words"), [("es", "menos de 5"), ("en", "Fewer than 5")])
def test_a_window_of_few_authors_shows_no_figure(gathered, language, words):
    said = [Said("fuente-0", f"Dicho número {i}", "water") for i in range(3)]
    page = render(gathered(Town(said=said), k=5), language)
    assert f"{words} authors wrote" in shown(page) or f"{words} autores: las cifras" in shown(page)
    assert "Dicho número" not in page
    assert "100.0%" not in shown(page)
