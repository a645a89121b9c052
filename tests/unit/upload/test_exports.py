"""Exports of 4CAT and CrowdTangle: known by their columns, with threads and time zones."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from configs.check import read_municipality
from configs.schema import Columns, Format, Source
from models.errors import ConfigError
from models.records import Extracted, Kind, Protocol, Rejection
from pipelines.exports import columns_of, export_of, format_named
from pipelines.upload import guess_columns, read_upload

LIMA = ZoneInfo("America/Lima")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

REDDIT = (
    *("id", "thread_id", "timestamp", "body", "subject", "author", "author_flair", "domain"),
    *("url", "subreddit", "parent", "score", "unix_timestamp"),
)
CROWDTANGLE = (
    *("Page Name", "User Name", "Facebook Id", "Page Category", "Page Admin Top Country"),
    *("Page Description", "Page Created", "Likes at Posting", "Followers at Posting"),
    *("Post Created", "Post Created Date", "Post Created Time", "Type", "Total Interactions"),
    *("Likes", "Comments", "Shares", "URL", "Message", "Link", "Final Link", "Image Text"),
    *("Link Text", "Description", "Overperforming Score"),
)


def table(path: Path, header: tuple[str, ...], *rows: dict[str, Any]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(
    path: Path, columns: Columns | None = None, form: Format | None = None
) -> list[Extracted | Rejection]:
    source = Source(
        name="export",
        title="Export",
        protocol=Protocol.UPLOAD,
        kind=Kind.POST,
        columns=columns,
        format=form,
    )
    return list(read_upload(path, source, LIMA, NOW))


def test_4cat_keeps_threads_and_its_dates_are_in_utc(tmp_path: Path) -> None:
    opener = {
        "id": "t3_a",
        "thread_id": "t3_a",
        "timestamp": "2026-02-01 15:00:00",
        "body": "¿Hasta cuándo la pista así?\nNadie responde",
        "subject": "Pistas",
        "author": "rosa",
        "url": "https://example.org/a",
    }
    reply = {
        "id": "t1_b",
        "thread_id": "t3_a",
        "timestamp": "2026-02-01 16:00:00",
        "unix_timestamp": "1769965200",
        "body": "Ya pues, alcalde",
        "parent": "t1_z",
    }
    bare = reply | {"id": "t1_c", "parent": "", "unix_timestamp": ""}
    path = table(
        tmp_path / "4cat.csv",
        REDDIT[:-1],
        opener,
        *({k: r[k] for k in r if k in REDDIT[:-1]} for r in (reply, bare)),
    )
    first, second, third = read(path)
    assert isinstance(first, Extracted)
    assert isinstance(second, Extracted)
    assert isinstance(third, Extracted)
    assert first.said_at == datetime(2026, 2, 1, 15, tzinfo=UTC)
    assert (first.kind, first.title, first.parent_external_id) == (Kind.POST, "Pistas", None)
    assert (first.thread_external_id, first.author) == (None, "rosa")
    assert (second.kind, second.parent_external_id, second.thread_external_id) == (
        Kind.COMMENT,
        "t1_z",
        "t3_a",
    )
    assert (third.parent_external_id, third.thread_external_id) == ("t3_a", "t3_a")


def test_4cat_as_lines_of_json_with_unix_time(tmp_path: Path) -> None:
    row = {
        "id": 7,
        "thread_id": 7,
        "author": "vecino",
        "body": "Falta agua en Huaycán",
        "timestamp": "2026-02-01 15:00:00",
        "unix_timestamp": 1769958000,
        "tiktok_url": "https://example.org/v/7",
    }
    path = tmp_path / "4cat.ndjson"
    path.write_text(json.dumps(row) + "\n" + "{mal\n", encoding="utf-8")
    record, broken = read(path)
    assert isinstance(record, Extracted)
    assert isinstance(broken, Rejection)
    assert record.said_at == datetime(2026, 2, 1, 15, tzinfo=UTC)
    assert (record.external_id, record.url) == ("7", "https://example.org/v/7")
    assert record.thread_external_id is None


def test_crowdtangle_names_its_zone(tmp_path: Path) -> None:
    post = {
        "Page Name": "Ate Informa",
        "User Name": "ateinforma",
        "Facebook Id": "104857600000021",
        "Post Created": "2021-03-01 15:20:31 EST",
        "Message": "¡Cuidado con los baches de la Carretera Central!",
        "URL": "https://www.facebook.com/104857600000021/posts/9",
        "Link Text": "Noticias",
    }
    summer = post | {"Post Created": "2021-07-01 15:20:31 EDT", "URL": "https://example.org/2"}
    only_link = post | {"Message": "", "URL": "https://example.org/3"}
    path = table(tmp_path / "ct.csv", CROWDTANGLE, post, summer, only_link)
    first, second, third = (record for record in read(path) if isinstance(record, Extracted))
    assert first.said_at == datetime(2021, 3, 1, 20, 20, 31, tzinfo=UTC)
    assert second.said_at == datetime(2021, 7, 1, 19, 20, 31, tzinfo=UTC)
    assert first.external_id == first.url == post["URL"]
    assert (first.author, first.title) == ("Ate Informa", "Noticias")
    assert third.text == "Noticias"


def test_columns_that_are_named_win(tmp_path: Path) -> None:
    row = {
        "id": "1",
        "thread_id": "1",
        "timestamp": "2026-02-01 15:00:00",
        "body": "no",
        "subject": "sí",
    }
    path = table(tmp_path / "a.csv", REDDIT, row)
    columns = Columns(text="subject", date="timestamp")
    (own,) = read(path, columns)
    (in_utc,) = read(path, columns, "4cat")
    assert isinstance(own, Extracted)
    assert isinstance(in_utc, Extracted)
    assert own.text == in_utc.text == "sí"
    assert own.said_at == datetime(2026, 2, 1, 20, tzinfo=UTC)
    assert in_utc.said_at == datetime(2026, 2, 1, 15, tzinfo=UTC)


def test_other_files_are_no_exports() -> None:
    assert export_of(["id", "texto", "fecha"]) is None
    assert export_of(CROWDTANGLE) == "crowdtangle"
    assert export_of(REDDIT) == "4cat"
    assert columns_of("4cat", ["id", "fecha"]) is None
    found = guess_columns(["id", "fecha", "texto"])
    assert found is not None
    assert (found.text, found.thread) == ("texto", None)


def test_a_tool_by_name() -> None:
    assert (format_named("4CAT"), format_named(None)) == ("4cat", None)
    with pytest.raises(ConfigError, match="write one of 4cat, crowdtangle"):
        format_named("excel")


def test_the_format_in_a_municipality(tmp_path: Path) -> None:
    file = tmp_path / "ate.yml"
    head = (
        "code: ate\nname: Ate\ncountry: PE\ntime_zone: America/Lima\n"
        "contact: {name: Municipalidad de Ate, email: datos@example.org}\n"
        "sources:\n  - name: archivo\n    title: Archivo\n    protocol: upload\n"
    )
    file.write_text(f"{head}    format: crowdtangle\n", encoding="utf-8")
    municipality, _ = read_municipality(file)
    assert municipality is not None
    assert municipality.sources[0].format == "crowdtangle"
    file.write_text(f"{head}    format: 4kat\n", encoding="utf-8")
    problem = next(x for x in read_municipality(file)[1] if not x.warning)
    assert problem.advice == "did you mean «4cat»? write one of 4cat, crowdtangle"


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from(REDDIT),
            st.one_of(st.text(max_size=30), st.integers(), st.none(), st.lists(st.integers())),
            max_size=8,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_rows_end_as_one_record_or_rejection_each(
    tmp_path: Path, rows: list[dict[str, object]]
) -> None:
    path = tmp_path / "a.ndjson"
    first = {"id": "0", "thread_id": "0", "author": "a", "body": "b", "timestamp": "2026-01-01"}
    lines = [json.dumps(row) for row in [first, *rows]]
    path.write_text("\n".join(lines), encoding="utf-8")
    found = read(path)
    assert len(found) == len(lines)
    for record in found:
        if isinstance(record, Extracted) and record.parent_external_id:
            assert record.kind is Kind.COMMENT
            assert record.parent_external_id != record.external_id
