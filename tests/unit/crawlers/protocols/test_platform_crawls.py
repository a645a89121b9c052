"""Whole crawls of platforms on loopback, in the real child process."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from crawlers.crawl import crawl
from crawlers.job import CrawlJob, CrawlResult
from crawlers.known import Known
from crawlers.protocols.secret import HIDDEN, TOKEN
from crawlers.wire import CAPTURES, SUMMARY, Summary
from models.records import Extracted, Failure, Kind, Outcome
from tests.unit.crawlers.conftest import to_replay

Job = Callable[..., CrawlJob]
SECRET = "AIzaSy-Sup3r/Secreta|2026"
VIDEO = "youtube:video:v1"
TIMELINE = "/api/v1/timelines/tag/ate?limit=40"
SEARCH = "/search?q=ate&part=snippet&type=video&order=date&maxResults=50"
THREADS = (
    "/commentThreads?part=snippet%2Creplies&videoId={}&maxResults=100&order=time"
    "&textFormat=plainText"
)


def by_id(result: CrawlResult) -> dict[str, Extracted]:
    return {record.external_id: record for record in result.extracted}


def status(identity: str, text: str, **about: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "uri": f"https://pe.example/users/rosa/statuses/{identity}",
        "url": f"https://pe.example/@rosa/{identity}",
        "created_at": f"2026-05-{int(identity):02}T10:00:00.000Z",
        "in_reply_to_id": None,
        "content": f"<p>{text}</p>",
        "spoiler_text": "",
        "replies_count": 0,
        "reblog": None,
        "account": {"id": "7", "acct": "rosa"},
        "mentions": [],
    } | about


def serve(site: Any, path: str, body: object, code: int = 200, **headers: str) -> str:
    url: str = site.page(
        path, json.dumps(body), code, **{"content_type": "application/json"} | headers
    )
    return url


def guarded(site: Any, path: str, body: object, header: str, value: str) -> None:
    """Serve JSON to who sends a header with a value, and 403 to others."""
    serve(site, path, body)
    inner = site.pages[path]

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers.get(header) != value:
            handler.send_error(403)
        else:
            inner(handler)

    site.pages[path] = answer


def everything_written(job: CrawlJob) -> bytes:
    """Return the bytes of all files of a crawl and of its archive, unpacked."""
    found = b""
    for root in (job.out, job.archive):
        for path in sorted(root.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                found += data + _unpacked(data)
    return found


def _unpacked(data: bytes) -> bytes:
    found = b""
    while data[:2] == b"\x1f\x8b":
        unpacker = zlib.decompressobj(wbits=31)
        part = unpacker.decompress(data)
        found += part + _unpacked(part)
        data = unpacker.unused_data
    return found


def test_mastodon_page_by_page(site: Any, make_job: Job) -> None:
    reply = status("3", "Sí, vecina", in_reply_to_id="2")
    broken = {"id": "9", "content": "<p>Sin uri</p>"}
    link = f'<{site.url}{TIMELINE}&max_id=3>; rel="next"'
    serve(site, TIMELINE, [status("4", "Falta luz"), reply, broken], link=link)
    last = f'<{site.url}{TIMELINE}&max_id=3>; rel="next"'
    page = [status("2", "Se llevaron el semáforo"), status("4", "Falta luz")]
    serve(site, f"{TIMELINE}&max_id=3", page, link=last)

    result = crawl(make_job(site.url, protocol="mastodon", query="ate"))

    assert (result.finished, result.reason) == (True, "")
    records = by_id(result)
    prefix = "https://pe.example/users/rosa/statuses/"
    assert {key.removeprefix(prefix) for key in records} == {"2", "3", "4"}
    answer = records[f"{prefix}3"]
    assert answer.kind is Kind.COMMENT
    assert answer.parent_external_id == answer.thread_external_id == f"{prefix}2"
    assert records[f"{prefix}4"].said_at == datetime(2026, 5, 4, 10, tzinfo=UTC)
    assert sorted(r.outcome for r in result.rejections) == [
        Outcome.DUPLICATE,  # status 4 again
        Outcome.DUPLICATE,  # the page that names itself as the next
        Outcome.NO_IDENTITY,
    ]
    assert site.paths == ["/robots.txt", TIMELINE, f"{TIMELINE}&max_id=3"]


def test_a_limit_keeps_what_came_before_it(site: Any, make_job: Job) -> None:
    link = f'<{site.url}{TIMELINE}&max_id=4>; rel="next"'
    serve(
        site, TIMELINE, [status("4", "Falta luz"), status("3", "Sí", in_reply_to_id="4")], link=link
    )
    serve(site, f"{TIMELINE}&max_id=4", {"error": "Throttled"}, 429, retry_after="7200")

    result = crawl(make_job(site.url, protocol="mastodon", query="ate"))

    assert len(result.extracted) == 2
    assert not result.finished
    assert result.failure is Failure.TEMPORARY
    assert "is temporarily limited (429)" in result.reason
    assert "again after 2" in result.reason
    assert site.paths.count(f"{TIMELINE}&max_id=4") == 1


def test_a_timeline_that_wants_a_token(site: Any, make_job: Job) -> None:
    serve(site, TIMELINE, {"error": "This method requires an authenticated user"}, 401)
    result = crawl(make_job(site.url, protocol="mastodon", query="ate"))
    assert result.reason == (
        f"{site.url}{TIMELINE} answered 401: it wants a token: name its environment variable in"
        " «token»"
    )
    assert result.failure is Failure.HARD


def test_a_page_that_fails_leaves_the_source_not_read_to_its_end(site: Any, make_job: Job) -> None:
    link = f'<{site.url}{TIMELINE}&max_id=4>; rel="next"'
    serve(site, TIMELINE, [status("4", "Falta luz")], link=link)
    result = crawl(make_job(site.url, protocol="mastodon", query="ate"))
    assert len(result.extracted) == 1
    assert result.reason == f"{site.url}{TIMELINE}&max_id=4 answered 404"


def test_what_is_stored_is_not_asked_for_again(site: Any, make_job: Job, tmp_path: Path) -> None:
    link = f'<{site.url}{TIMELINE}&max_id=4>; rel="next"'
    serve(site, TIMELINE, [status("5", "Nuevo"), status("4", "Falta luz")], link=link)
    serve(site, f"{TIMELINE}&max_id=4", [status("2", "Antes")])
    job = make_job(site.url, protocol="mastodon", query="ate")
    first = crawl(job)
    seen = {r.fingerprint: r.said_at for r in first.extracted if r.fingerprint and r.said_at}
    known = tmp_path / "known.json.gz"
    Known(seen=seen, complete=True).save(known)
    site.asked.clear()

    second = crawl(job.model_copy(update={"known": known}))

    assert site.paths == ["/robots.txt", TIMELINE]
    assert (second.extracted, second.unchanged, second.finished) == ([], 2, True)


def test_a_replay_needs_neither_a_network_nor_a_token(
    site: Any, make_job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAVE", SECRET)
    link = f'<{site.url}{TIMELINE}&max_id=4>; rel="next"'
    serve(site, TIMELINE, [status("4", "Falta luz", in_reply_to_id="2")], link=link)
    serve(site, f"{TIMELINE}&max_id=4", [status("2", "Antes")])
    job = make_job(site.url, protocol="mastodon", query="ate", token="CLAVE")
    first = crawl(job)
    monkeypatch.delenv("CLAVE")
    site.asked.clear()
    again = crawl(to_replay(job, tmp_path / "again"))
    assert again.finished, again.reason
    assert again.extracted == first.extracted
    assert len(again.extracted) == 2
    assert site.asked == []


def video(identity: str, **about: Any) -> dict[str, Any]:
    snippet = {
        "publishedAt": "2026-05-18T22:10:00Z",
        "title": "Protesta &quot;por agua&quot;",
        "description": "En Santa Clara",
        "channelTitle": "Ate Noticias",
    }
    return {"id": {"kind": "youtube#video", "videoId": identity}, "snippet": snippet | about}


def thread(identity: str, text: str, *replies: Any, total: int | None = None) -> dict[str, Any]:
    count = len(replies) if total is None else total
    top = said(identity, text)
    return {
        "id": identity,
        "snippet": {"videoId": "v1", "topLevelComment": top, "totalReplyCount": count},
        "replies": {"comments": list(replies)},
    }


def said(identity: str, text: str, **about: Any) -> dict[str, Any]:
    snippet = {
        "textOriginal": text,
        "authorDisplayName": "@marisol",
        "publishedAt": "2026-05-19T01:00:00Z",
    }
    return {"id": identity, "snippet": snippet | about}


def youtube(make_job: Job, site: Any, **about: Any) -> CrawlJob:
    named = {"protocol": "youtube", "query": "ate", "token": "CLAVE_DE_YOUTUBE", "comments": True}
    return make_job(site.url, **named | about)


def test_youtube_with_its_key_comments_and_pages(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAVE_DE_YOUTUBE", f" {SECRET}\n")
    echo = {"echo": f"https://x.example/?key={SECRET}&k=AIzaSy-Sup3r%2FSecreta%7C2026"}
    first = {"items": [video("v1")], "nextPageToken": "P2", "yours": echo}
    guarded(site, SEARCH, first, "X-Goog-Api-Key", SECRET)
    guarded(site, f"{SEARCH}&pageToken=P2", {"items": [video("v2")]}, "X-Goog-Api-Key", SECRET)
    threads = {
        "items": [
            thread("UgA", "¿Sigue sin agua?", said("UgA.1", "Sí", parentId="UgA")),
            thread("UgB", "Pucha", said("UgB.1", "x"), total=2),
        ]
    }
    guarded(site, THREADS.format("v1"), threads, "X-Goog-Api-Key", SECRET)
    replies = {
        "items": [said("UgB.1", "Ya pe", parentId="UgB"), said("UgB.2", "Oe", parentId="UgB")]
    }
    path = "/comments?part=snippet&parentId=UgB&maxResults=100&textFormat=plainText"
    guarded(site, path, replies, "X-Goog-Api-Key", SECRET)
    off = {"error": {"code": 403, "errors": [{"reason": "commentsDisabled"}], "message": SECRET}}
    serve(site, THREADS.format("v2"), off, 403)
    job = youtube(make_job, site)

    result = crawl(job)

    assert (result.finished, result.reason, result.rejections) == (True, "", [])
    assert set(by_id(result)) == {VIDEO, f"{VIDEO[:-1]}2", "UgA", "UgA.1", "UgB", "UgB.1", "UgB.2"}
    assert by_id(result)[VIDEO].title == 'Protesta "por agua"'
    reply = by_id(result)["UgB.2"]
    assert (reply.parent_external_id, reply.thread_external_id) == ("UgB", VIDEO)
    for asked, headers in site.asked:
        assert "Secreta" not in asked
        if asked != "/robots.txt":
            assert headers["Accept-Encoding"] == "identity"
    written = everything_written(job)
    assert b"Secreta" not in written
    assert HIDDEN in written
    assert (job.out / CAPTURES).stat().st_size


def test_youtube_refuses_the_key(site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAVE_DE_YOUTUBE", SECRET)
    details = [{"reason": "API_KEY_INVALID", "metadata": {"key": SECRET}}]
    body = json.dumps({"error": {"code": 400, "message": f"bad {SECRET}", "details": details}})
    site.page(SEARCH, body, 400, x_key=SECRET)
    job = youtube(make_job, site)
    result = crawl(job)
    assert result.reason == (
        f"{site.url}{SEARCH} answered 400 (API_KEY_INVALID): the token in the environment variable"
        " CLAVE_DE_YOUTUBE is refused"
    )
    assert result.failure is Failure.HARD
    assert b"Secreta" not in everything_written(job)


def test_an_answer_that_hides_the_key_in_a_compressed_body_is_not_kept(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAVE_DE_YOUTUBE", SECRET)
    site.page("/robots.txt", gzip.compress(b"User-agent: *\nAllow: /"), content_encoding="gzip")
    site.page(SEARCH, gzip.compress(SECRET.encode()), content_encoding="gzip")
    result = crawl(youtube(make_job, site))
    assert "its answer came compressed, which was not asked for" in result.reason
    assert [capture.url for capture in result.captures] == [f"{site.url}/robots.txt"]


def test_a_used_up_quota_keeps_what_came_before_it(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAVE_DE_YOUTUBE", SECRET)
    serve(site, SEARCH, {"items": [video("v1")], "nextPageToken": "P2"})
    spent = {"error": {"code": 403, "errors": [{"reason": "quotaExceeded"}]}}
    serve(site, f"{SEARCH}&pageToken=P2", spent, 403)
    result = crawl(youtube(make_job, site, comments=False))
    assert set(by_id(result)) == {VIDEO}
    assert "the key's quota for today is used up" in result.reason
    assert result.failure is Failure.TEMPORARY


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "set the environment variable CLAVE_DE_YOUTUBE"),
        ("  ", "set the environment variable CLAVE_DE_YOUTUBE"),
        ("una\nclave", "the environment variable CLAVE_DE_YOUTUBE holds no token"),
    ],
)
def test_a_missing_token_is_named_and_nothing_is_asked(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch, value: str | None, words: str
) -> None:
    monkeypatch.delenv("CLAVE_DE_YOUTUBE", raising=False)
    monkeypatch.setenv(TOKEN, "ajena")
    if value is not None:
        monkeypatch.setenv("CLAVE_DE_YOUTUBE", value)
    result = crawl(youtube(make_job, site))
    assert words in result.reason
    assert not result.finished
    assert result.failure is Failure.HARD
    assert site.asked == []


def test_a_token_goes_nowhere_else(
    site: Any, other_site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAVE", SECRET)
    link = f'<{other_site.url}/roba?limit=1>; rel="next"'
    serve(site, TIMELINE, [status("4", "Falta luz", replies_count=1)], link=link)
    site.redirect("/api/v1/statuses/4/context", f"{other_site.url}/roba")
    about = {"protocol": "mastodon", "query": "ate", "token": "CLAVE", "comments": True}
    result = crawl(make_job(site.url, **about))
    assert other_site.asked == []
    assert len(result.extracted) == 1
    assert {r.outcome for r in result.rejections} == {Outcome.NOT_ALLOWED, Outcome.FETCH_FAILED}
    assert any("a redirect, which no token follows" in r.detail for r in result.rejections)


def test_a_key_that_travels_in_the_address_is_written_nowhere(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAVE", "LlaveSecreta2026")
    plain = "/api/3.0/forums/listPosts.json?forum=diario&order=desc&limit=100&related=thread"
    first = f"{plain}&include=approved"
    said = {
        "id": "1",
        "parent": None,
        "thread": {"id": "7", "link": "https://diario.example/p"},
        "createdAt": "2026-05-01T10:00:00",
        "raw_message": "Falta luz, LlaveSecreta2026",
        "author": {"username": "rosa"},
    }
    cursor = {"hasNext": True, "next": "2:0:0"}
    serve(
        site,
        f"{first}&api_key=LlaveSecreta2026",
        {"code": 0, "cursor": cursor, "response": [said]},
    )
    refusal = {"code": 14, "response": "You have exceeded LlaveSecreta2026"}
    serve(site, f"{first}&cursor=2%3A0%3A0&api_key=LlaveSecreta2026", refusal, 400)
    job = make_job(f"{site.url}/api/3.0/", protocol="disqus", query="diario", token="CLAVE")

    result = crawl(job)

    assert by_id(result)["1"].text == "Falta luz, [token]"
    assert result.failure is Failure.TEMPORARY
    assert "hourly limit of the API key" in result.reason
    assert [capture.url for capture in result.captures][1:] == [
        f"{site.url}{first}",
        f"{site.url}{first}&cursor=2%3A0%3A0",
    ]
    assert b"LlaveSecreta" not in everything_written(job)


FORBIDDEN = b"User-agent: *\nDisallow: /\nCrawl-delay: 0.2"


def test_a_platform_that_gave_a_token_is_not_refused_by_robots(
    site: Any, make_job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAVE_DE_YOUTUBE", SECRET)
    site.page("/robots.txt", FORBIDDEN)
    serve(site, SEARCH, {"items": [video("v1")]})
    job = youtube(make_job, site, comments=False)
    result = crawl(job)
    assert (result.finished, set(by_id(result))) == (True, {VIDEO})
    summary = Summary.model_validate_json((job.out / SUMMARY).read_bytes())
    assert set(summary.settings["DELAYS"].values()) == {0.2}


def test_without_a_token_robots_is_obeyed(site: Any, make_job: Job) -> None:
    site.page("/robots.txt", FORBIDDEN)
    serve(site, TIMELINE, [status("4", "Falta luz")])
    result = crawl(make_job(site.url, protocol="mastodon", query="ate"))
    assert result.extracted == []
    assert "does not allow" in result.reason
    assert site.paths == ["/robots.txt"]
