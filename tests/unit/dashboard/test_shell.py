"""What every page has: headers, languages, errors, an explanation where nothing is there yet."""

import pytest
from fastapi.testclient import TestClient

from dashboard.app import is_loopback
from tests.unit.report.town import RUN, Town


def test_the_summary_gives_shares_with_n_and_interval(visit: TestClient) -> None:
    page = visit.get("/").text

    assert "De qué hablan los vecinos" in page
    assert "n = 900" in page
    assert 'href="/categorias?category=transport"' in page


def test_pages_speak_english_on_demand_and_keep_the_filters(visit: TestClient) -> None:
    page = visit.get("/", params={"lang": "en", "run": RUN}).text

    assert '<html lang="en">' in page
    assert "What neighbours talk about" in page
    assert f'href="/?run={RUN}" hreflang="es"' in page


def test_browsers_are_told_to_run_and_fetch_nothing_else(visit: TestClient) -> None:
    answer = visit.get("/")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert " style=" not in answer.text


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("/no-existe", 404, "Esta página no existe"),
        ("/?category=<script>alert(1)</script>", 400, "category"),
        ("/?m=lima", 400, "no tiene nada contado"),
        ("/?run=20200101T000000-000000", 400, "no tiene esa ejecución"),
    ],
)
def test_errors_are_pages_that_say_why(
    visit: TestClient, address: str, code: int, said: str
) -> None:
    answer = visit.get(address)

    assert answer.status_code == code
    assert said in answer.text
    assert "<script" not in answer.text


def test_another_name_for_this_machine_gets_nothing(visit: TestClient) -> None:
    assert visit.get("/", headers={"host": "evil.example"}).status_code == 400


def test_before_the_first_run_it_says_what_to_do(visiting) -> None:
    empty = Town(insights=False)

    page = visiting(empty).get("/")

    assert page.status_code == 200
    assert "manifiesta sandbox run" in page.text


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("x.pe", False)],
)
def test_loopback_is_told_from_the_world(host: str, here: bool) -> None:
    assert is_loopback(host) is here
