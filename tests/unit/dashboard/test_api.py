"""The tables for programs: pages, entity tags, and what the description promises."""

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

from tests.unit.report.town import RUN


def test_rows_come_in_pages(visit: TestClient) -> None:
    address, rows = "/api/v1/tables/insight_category", []
    offset: int | None = 0
    while offset is not None:
        body = visit.get(address, params={"limit": 6, "offset": offset}).json()
        rows += body["rows"]
        offset = body["next"]

    assert body["run_id"] == RUN
    assert body["total"] == len(rows) == 16
    assert len({row["category"] for row in rows}) == 16
    assert all(row["n"] for row in rows)


def test_nothing_is_sent_again_that_has_not_changed(visit: TestClient) -> None:
    address = "/api/v1/tables/insight_day"
    first = visit.get(address)
    again = visit.get(address, headers={"if-none-match": f"W/{first.headers['etag']}"})

    assert again.status_code == 304
    assert again.content == b""
    assert visit.get(address, headers={"if-none-match": '"otro"'}).status_code == 200
    assert visit.get(address, params={"limit": 2}).headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/api/v1/tables/manifestation", 404),
        ("/api/v1/tables/insight_day?limit=0", 422),
        ("/api/v1/tables/insight_day?m=lima", 404),
        ("/api/v1/tables/insight_day?run=20200101T000000-000000", 404),
        ("/api/v1/nada", 404),
    ],
)
def test_what_cannot_be_given_is_refused_in_json(
    visit: TestClient, address: str, code: int
) -> None:
    answer = visit.get(address)

    assert answer.status_code == code
    assert answer.json()["detail"]


def test_answers_are_as_described(visit: TestClient) -> None:
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", visit.app)
    operations = [found.ok() for found in schema.get_all_operations()]

    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        def check(case: schemathesis.Case) -> None:
            case.call_and_validate()

        check()
    assert len(operations) == 3
