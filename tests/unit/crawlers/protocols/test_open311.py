"""Open311 GeoReport v2: JSON and XML, pages and spans of days, errors and hostile answers."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.schema import Source
from crawlers.protocols.base import Answer, Ask, Step
from crawlers.protocols.open311 import LONGEST_SPAN, MOST_SPANS, Cursor, Open311
from models.records import Kind, Outcome

HOME = "https://reporta.example.pe/open311/v2"
NOW = datetime(2025, 5, 20, 15, tzinfo=UTC)


def request(own: Any = 638344, day: str = "2025-05-14", **more: Any) -> dict[str, Any]:
    found = {
        "service_request_id": own,
        "status": "open",
        "status_notes": None,
        "service_name": "Pistas y veredas",
        "service_code": "006",
        "description": "Hay un hueco enorme\nfrente al mercado",
        "requested_datetime": f"{day}T06:37:38-05:00",
        "updated_datetime": f"{day}T06:37:38-05:00",
        "address": "Av. Central 123",
        "lat": -12.02,
        "long": -76.9,
    }
    return found | more


XML = """<?xml version="1.0" encoding="utf-8"?>
<service_requests>
  <request>
    <service_request_id>638344</service_request_id><status>closed</status>
    <service_name>Alumbrado</service_name><service_code>6</service_code>
    <description>Poste sin luz &amp; cables sueltos</description><service_notice/>
    <requested_datetime>2025-05-14T06:37:38-05:00</requested_datetime>
  </request>
  <request><service_name>Ruido</service_name></request>
</service_requests>"""


def adapter(url: str = HOME, **about: Any) -> Open311:
    source = {"name": "reporta", "title": "Reporta", "protocol": "open311", "url": url} | about
    return Open311(Source(**source), url, None)


def answer(
    value: Any, cursor: Cursor | None = None, status: int = 200, kind: str = "json"
) -> Answer:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    headers = {"content-type": f"application/{kind}; charset=utf-8"}
    about = {"cursor": cursor or Cursor()}
    return Answer(f"{HOME}/requests.{kind}", status, headers, body, about, NOW, "c1")


def query(ask: Ask) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(ask.url).query).items()}


def follow(reader: Open311, step: Step, value: Any, status: int = 200) -> Step:
    """Answer what a step asks for."""
    return reader.read(answer(value, step.asks[0].about["cursor"], status))


def test_it_begins_with_what_the_server_gives_by_itself() -> None:
    assert adapter().start().url == f"{HOME}/requests.json"
    assert adapter(f"{HOME}/").start().url == f"{HOME}/requests.json"
    several = adapter(f"{HOME}/requests.json?status=open", query="ate.gob.pe").start()
    assert query(several) == {"status": "open", "jurisdiction_id": "ate.gob.pe"}


def test_a_request_is_a_post() -> None:
    step = adapter().read(answer([request()]))

    [found] = step.drafts
    assert (found.external_id, found.kind) == ("638344", Kind.POST)
    assert found.text == "Pistas y veredas\nHay un hueco enorme\nfrente al mercado"
    assert found.dates == ("2025-05-14T06:37:38-05:00",)
    assert found.url == f"{HOME}/requests/638344.json"
    assert (found.author, found.parent, step.problems) == (None, None, ())


def test_lists_inside_an_object_are_read_too() -> None:
    for name in ("service_requests", "requests"):
        assert len(adapter().read(answer({name: [request()]})).drafts) == 1


def test_pages_are_followed_until_one_is_empty_and_then_older_spans() -> None:
    reader = adapter(query="ate")
    one = reader.read(answer([request("1"), request("2")]))
    assert query(one.asks[0]) == {"jurisdiction_id": "ate", "page": "2"}

    two = follow(reader, one, [request("3")])
    assert query(two.asks[0])["page"] == "3"

    end = follow(reader, two, [])
    start, stop = NOW - 2 * LONGEST_SPAN, NOW - LONGEST_SPAN
    assert query(end.asks[0]) == {
        "jurisdiction_id": "ate",
        "start_date": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "end_date": f"{stop:%Y-%m-%dT%H:%M:%SZ}",
    }
    assert follow(reader, end, []).asks == ()


def test_a_server_without_pages_is_read_by_date() -> None:
    reader = adapter()
    whole = [request("1", "2025-05-14"), request("2", "2025-05-10")]
    one = reader.read(answer(whole))
    two = follow(reader, one, whole)
    asked = query(two.asks[0])
    assert asked["end_date"] == "2025-05-10T11:37:38Z"
    assert asked["start_date"] == f"{NOW - LONGEST_SPAN:%Y-%m-%dT%H:%M:%SZ}"
    assert "page" not in asked

    three = follow(reader, two, [request("2", "2025-05-10"), request("3", "2025-04-01")])
    assert query(three.asks[0])["end_date"] == "2025-04-01T11:37:38Z"
    four = follow(reader, three, [request("3", "2025-04-01")])
    assert query(four.asks[0])["end_date"] == f"{NOW - LONGEST_SPAN:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("status", [400, 404])
def test_a_server_that_refuses_pages_is_read_by_date(status: int) -> None:
    reader = adapter()
    one = reader.read(answer([request("1", "2025-05-14")]))
    step = follow(reader, one, [{"code": status, "description": "x"}], status)

    assert step.problems == ()
    assert query(step.asks[0])["end_date"] == "2025-05-14T11:37:38Z"


def test_spans_are_never_longer_than_the_protocol_allows_and_end() -> None:
    reader, asks = adapter(), 0
    step = reader.read(answer([request("0")]))
    spans: set[str] = set()
    while step.asks and asks < 200:
        asks += 1
        asked = query(step.asks[0])
        if "start_date" in asked:
            start, end = (datetime.fromisoformat(asked[x]) for x in ("start_date", "end_date"))
            assert end - start <= LONGEST_SPAN
            spans.add(asked["start_date"])
        # a server that has something new in every span, and repeats it on the second page
        page = [request(f"{len(spans)}", "2025-05-14")] if "page" not in asked else []
        step = follow(reader, step, page)
    assert asks < 200
    assert len(spans) <= MOST_SPANS


def test_a_server_that_knows_no_dates_is_not_asked_without_end() -> None:
    reader, step = adapter(), adapter().read(answer([request("1")]))
    for _ in range(20):
        if not step.asks:
            return
        step = follow(reader, step, [request("1")])
    pytest.fail("it asks the same again and again")


def test_xml_is_read_where_json_is_not_offered() -> None:
    step = adapter().read(answer(b"<html>no existe</html>", status=404))
    assert step.asks[0].url == f"{HOME}/requests.xml"

    cursor = step.asks[0].about["cursor"]
    found = adapter().read(answer(XML.encode(), cursor, kind="xml"))
    [kept] = found.drafts
    assert kept.external_id == "638344"
    assert kept.text == "Alumbrado\nPoste sin luz & cables sueltos"
    assert kept.url == f"{HOME}/requests/638344.xml"
    assert [problem.outcome for problem in found.problems] == [Outcome.NO_IDENTITY]
    assert found.asks[0].url == f"{HOME}/requests.xml?page=2"
    assert len(adapter().read(answer(XML.encode())).drafts) == 1


def test_hostile_xml_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><service_requests>&a;</service_requests>'
    step = adapter().read(answer(bomb))

    assert step.stop.endswith("declares a document type or entities, which are never read")


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ([{"code": 400, "description": "Rosa"}], 400, "answered 400 (code 400): name the jurisdic"),
        ({"errors": [{"code": 404}]}, 404, "answered 404 (code 404): name the jurisdiction"),
        ({"error": 1}, 200, "is no list of service requests"),
        (b"{", 200, "is no JSON"),
        (b"<otra/>", 200, "is no list of service requests"),
    ],
)
def test_what_is_no_open311_ends_the_crawl_with_a_reason(body: Any, status: int, why: str) -> None:
    step = adapter().read(answer(body, status=status))

    assert step.stop.startswith(f"{HOME}/requests.json {why}")
    assert "Rosa" not in step.stop


def test_a_refused_jurisdiction_is_told_from_a_missing_one() -> None:
    step = adapter(query="ate").read(answer([{"code": 404}], status=404))
    assert "check the jurisdiction in «query»" in step.stop

    no_xml = adapter().read(answer(b"nada", Cursor(format="xml"), 404, "xml"))
    assert no_xml.stop.startswith(f"{HOME}/requests.xml answered 404")


def test_a_page_that_cannot_be_read_leaves_the_others() -> None:
    step = adapter().read(answer(b"{", Cursor(page=3, spans=2)))

    assert (step.stop, len(step.problems)) == ("", 1)


def test_what_lacks_a_mandatory_field_is_counted() -> None:
    items = [
        request(None),
        request("2", description=["Texto de Rosa"], service_name=None),
        request("3", description=None),
        request("a/b", requested_datetime=12.5),
        "roto",
    ]
    step = adapter().read(answer(items))

    assert (step.drafts[0].external_id, step.drafts[0].text) == ("3", "Pistas y veredas")
    assert (step.drafts[1].dates, step.drafts[1].url) == ((None,), None)
    assert [problem.outcome for problem in step.problems] == [
        Outcome.UNREADABLE,
        Outcome.NO_IDENTITY,
        Outcome.NO_TEXT,
    ]
    assert not any("Rosa" in problem.detail for problem in step.problems)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(request())), inner, max_size=4)
    ),
    max_leaves=12,
)
CURSORS = [
    Cursor(),
    Cursor(page=2, found=1, seen=frozenset({"1"})),
    Cursor(start=NOW - timedelta(days=9), end=NOW, pages=False, found=3, oldest=NOW),
]


@settings(max_examples=80, deadline=None)
@given(ANYTHING | st.binary(max_size=80), st.sampled_from(CURSORS), st.sampled_from([200, 400]))
def test_no_answer_makes_it_raise(value: Any, cursor: Cursor, status: int) -> None:
    shapes = [value] if isinstance(value, bytes) else [value, [value], {"requests": [value]}]
    for shape in shapes:
        adapter().read(answer(shape, cursor, status))


def test_a_window_is_asked_for_in_spans_of_ninety_days() -> None:
    reader = adapter()
    since, until = datetime(2024, 11, 1, 5, tzinfo=UTC), datetime(2025, 5, 1, 5, tzinfo=UTC)
    reader.within(since, until)
    spans = [query(reader.start())]
    step = reader.read(answer([], reader.start().about["cursor"]))
    while step.asks:
        (ask,) = step.asks
        spans.append(query(ask))
        step = reader.read(answer([], ask.about["cursor"]))

    moments = [(span["start_date"], span["end_date"]) for span in spans]
    assert moments[0] == ("2025-01-31T05:00:00Z", "2025-05-01T05:00:00Z")
    assert moments[-1][0] == "2024-11-01T05:00:00Z"
    assert [end for _, end in moments[1:]] == [start for start, _ in moments[:-1]]
    for start, end in moments:
        assert datetime.fromisoformat(end) - datetime.fromisoformat(start) <= LONGEST_SPAN


def test_a_short_window_is_one_span() -> None:
    reader = adapter()
    reader.within(NOW - timedelta(days=30), NOW)
    assert query(reader.start())["start_date"] == "2025-04-20T15:00:00Z"
    step = reader.read(answer([request()], reader.start().about["cursor"]))
    page = step.asks[0]
    assert query(page)["page"] == "2"
    assert reader.read(answer([], page.about["cursor"])).asks == ()


def test_a_refusal_of_the_window_stops_the_source() -> None:
    reader = adapter()
    reader.within(NOW - timedelta(days=30), NOW)
    step = reader.read(answer([{"code": 404}], reader.start().about["cursor"], 404))
    assert "name the jurisdiction" in step.stop
