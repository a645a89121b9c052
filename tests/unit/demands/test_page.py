"""The page «Demandas»: what it lists, what can be decided on it, and who may."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html

from dashboard.access import Person
from models.demands import Status
from pipelines.store.demands import demands, evidence, find_demand
from pipelines.store.write import Store
from tests.unit.demands.asking import BINS, HOLE, asked, bins, by, flow, put
from tests.unit.demands.panel import Panel, opened
from tests.unit.store.builders import at, said, vanish

HOSTILE = (
    "<script>alert(1)</script> {{ 7*7 }} <img src=x onerror=alert(1)> javascript:alert(1) \u202ea "
    + "w" * 5_000
)


@pytest.fixture
def panel(store: Store, tmp_path: Path) -> Panel:
    bins(store)
    put(store, said(3, HOLE, when=at(7)), category="transport", zone=None)
    asked(store)
    return opened(store, tmp_path / "municipalities")


def waste(panel: Panel) -> str:
    return next(one.id for one in demands(panel.store.engine, "villa") if one.category == "waste")


def confirmed(panel: Panel) -> None:
    """Let a person confirm one of the two demands."""
    flow(panel.store).confirm(by(find_demand(panel.store.engine, "villa", waste(panel))))


def test_the_list_shows_every_demand_and_its_most_central_words(panel: Panel) -> None:
    page = unescape(panel.get("/demandas"))
    assert "2 demandas" in page
    assert BINS in page
    assert "Tránsito" in page
    assert page.count('class="demand ') == 2


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("category=waste", 1),
        ("zone=centro", 1),
        ("zone=(none)", 1),
        ("zone=norte", 0),
        ("area=Limpieza", 1),
        ("status=proposed", 2),
        ("status=waiting", 2),
        ("status=overdue", 0),
        ("status=closed", 0),
        ("page=2", 0),
    ],
)
def test_every_filter_is_in_the_address(panel: Panel, query: str, shown: int) -> None:
    assert panel.get(f"/demandas?{query}").count('class="demand ') == shown


@pytest.mark.parametrize(
    "query",
    [
        "",
        "category=waste",
        "zone=centro",
        "zone=(none)",
        "area=(none)",
        "category=waste&zone=norte",
    ],
)
def test_the_tabs_keep_the_other_filters_and_count_what_they_show(panel: Panel, query: str) -> None:
    confirmed(panel)
    page = html.fromstring(panel.get(f"/demandas?{query}"))
    tabs = page.xpath("//nav[@class='states']//a")
    assert len(tabs) == 10
    for tab in tabs:
        address, number = tab.get("href"), int(tab.xpath("string(b)"))
        assert parse_qs(query).items() <= parse_qs(urlsplit(address).query).items()
        assert panel.get(address).count('class="demand ') == number


def test_the_table_of_waiting_leads_to_the_demands_that_it_counts(panel: Panel) -> None:
    confirmed(panel)
    rows = html.fromstring(panel.get("/demandas")).xpath("//table[@id='espera']//td/a")
    assert rows
    for link in rows:
        assert panel.get(link.get("href")).count('class="demand ') == int(link.text)


def test_a_filter_that_does_not_exist_is_named(panel: Panel) -> None:
    assert "Puede ser: waiting" in panel.get("/demandas?status=perdida", 400)


def test_from_the_form_to_the_end_of_a_demand(panel: Panel) -> None:
    path = f"/demandas/{waste(panel)}"
    done = panel.send(path, "/confirm", category="waste", zone="centro", summary="Recoger")
    assert (done.status_code, done.headers["location"]) == (303, path)
    assert panel.send(path, "/assign", area="Limpieza", due="2030-01-31").status_code == 303
    assert panel.send(path, "/start", note="Sale el camión").status_code == 303
    reply = "Ya se recogió.\n<b>Gracias</b> por avisar al 987654321"
    assert panel.send(path, "/answer", reply=reply).status_code == 303
    page = panel.get(path)
    assert "&lt;b&gt;Gracias&lt;/b&gt; por avisar al [teléfono]" in page
    assert "Son muy pocas voces" in page
    assert panel.send(path, "/close").status_code == 303
    end = find_demand(panel.store.engine, "villa", waste(panel))
    assert (end.status, end.summary, str(end.due_on)) == (Status.CLOSED, "Recoger", "2030-01-31")
    assert "Sale el camión" in panel.get(path)
    assert re.findall(r'method="post" action="[^"]*/([a-z]+)"', panel.get(path)) == ["reopen"]


def test_two_people_at_once_the_second_is_told_and_loses_nothing(panel: Panel) -> None:
    path = f"/demandas/{waste(panel)}"
    confirmed(panel)
    old = panel.send(path, "/reject", reason="No es nuestra", version=1)
    assert old.status_code == 409
    assert "Otra persona decidió" in old.text
    assert "No es nuestra" in old.text
    now = find_demand(panel.store.engine, "villa", waste(panel))
    assert now.status is Status.NEW


def test_what_cannot_be_kept_is_said_beside_the_form(panel: Panel) -> None:
    path = f"/demandas/{waste(panel)}"
    for action, given in (("reject", {"reason": " "}), ("merge", {"into": "abcdef"})):
        answer = panel.send(path, f"/{action}", **given)
        assert answer.status_code == 400
        assert 'role="alert"' in answer.text


def test_a_text_that_its_source_took_back_is_counted_and_not_shown(panel: Panel) -> None:
    demand = waste(panel)
    vanish(panel.store, at(3, month=5), said(1).id)  # later than it was fetched

    page = unescape(panel.get(f"/demandas/{demand}"))
    assert BINS not in page
    assert "Su fuente la retiró: se cuenta, pero no se muestra." in page
    assert BINS not in unescape(panel.get("/demandas"))
    (gone,) = (one for one in evidence(panel.store.engine, demand) if one.gone)
    assert (gone.text, gone.title, gone.url) == ("", None, None)


def test_splitting_and_merging_by_form(panel: Panel) -> None:
    first = waste(panel)
    path = f"/demandas/{first}"
    done = panel.send(path, "/split", texts=[said(2).id], note="Otra esquina")
    assert done.status_code == 303
    new = done.headers["location"]
    assert new != path
    assert panel.send(new, "/merge", into=first).headers["location"] == path
    assert find_demand(panel.store.engine, "villa", first).texts == 2


@pytest.mark.parametrize("token", ["", "otro", "ñ"])
def test_a_form_from_elsewhere_changes_nothing(panel: Panel, token: str) -> None:
    path = f"/demandas/{waste(panel)}/reject"
    answer = panel.client.post(path, data={"version": 1, "reason": "x", "token": token})
    assert answer.status_code == 403
    assert panel.client.post(path, data={"version": 1, "reason": "x"}).status_code == 403
    now = find_demand(panel.store.engine, "villa", waste(panel))
    assert now.status is Status.PROPOSED


@pytest.mark.parametrize("role", ["viewer", "analyst"])
def test_who_only_looks_sees_no_forms_and_may_send_none(
    panel: Panel, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/demandas/{waste(panel)}"
    answer_of_reviewer = panel.send(path, "/merge", into="abcdef")
    assert answer_of_reviewer.status_code == 400
    token = re.search(r'name="token" value="([^"]+)"', panel.get(path))
    assert token
    monkeypatch.setattr("dashboard.access.LOCAL", Person("local", role))
    page = panel.get(path)
    assert 'method="post"' not in page
    assert "Solo quien revisa" in page
    given = {"version": 1, "reason": "x", "token": token[1]}
    assert panel.client.post(f"{path}/reject", data=given).status_code == 403
    assert panel.client.get("/revision").status_code == 403


def test_hostile_words_stay_words(store: Store, tmp_path: Path) -> None:
    put(store, said(1, HOSTILE, url="javascript:alert(1)", title=HOSTILE))
    asked(store)
    panel = opened(store, tmp_path / "municipalities")
    (demand,) = demands(store.engine, "villa")
    for path in ("/demandas", f"/demandas/{demand.id}", "/revision?status=unsure"):
        page = panel.get(path)
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page
        assert "\u202e" not in page


@pytest.mark.parametrize("path", ["/demandas/%00", "/demandas/%25", "/demandas/' OR 1=1"])
def test_no_demand_no_page(panel: Panel, path: str) -> None:
    assert panel.client.get(path).status_code == 404
