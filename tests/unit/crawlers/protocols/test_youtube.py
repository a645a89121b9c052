"""YouTube: searches, threads, replies, and the errors that a key meets."""

from collections.abc import Callable
from typing import Any

import pytest

from crawlers.protocols.base import Answer
from crawlers.protocols.youtube import Youtube
from models.records import Failure, Kind, Outcome

Make = Callable[..., Any]
Reply = Callable[..., Answer]
BASE = "https://www.googleapis.com/youtube/v3"
VIDEO = "youtube:video:v1"


def video(identity: str, title: str, **about: Any) -> dict[str, Any]:
    snippet = {
        "publishedAt": "2026-05-18T22:10:00Z",
        "channelId": "UCabcdefghijklmnopqrstuv",
        "title": title,
        "description": "Vecinos de Santa Clara bloquean la pista por falta de agua.",
        "thumbnails": {"default": {"url": "https://i.ytimg.com/vi/x/default.jpg"}},
        "channelTitle": "Ate Noticias",
        "liveBroadcastContent": "none",
    }
    return {
        "kind": "youtube#searchResult",
        "etag": "e",
        "id": {"kind": "youtube#video", "videoId": identity},
        "snippet": snippet | about,
    }


def comment(identity: str, text: str, **about: Any) -> dict[str, Any]:
    snippet = {
        "channelId": "UCabcdefghijklmnopqrstuv",
        "videoId": "v1",
        "textDisplay": text,
        "textOriginal": text,
        "authorDisplayName": "@marisolquispe",
        "authorChannelUrl": "http://www.youtube.com/@marisolquispe",
        "authorChannelId": {"value": "UCzzz"},
        "canRate": True,
        "viewerRating": "none",
        "likeCount": 4,
        "publishedAt": "2026-05-19T01:00:00Z",
        "updatedAt": "2026-05-19T01:00:00Z",
    }
    return {"kind": "youtube#comment", "etag": "e", "id": identity, "snippet": snippet | about}


def thread(top: dict[str, Any], total: int, *replies: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "kind": "youtube#commentThread",
        "etag": "e",
        "id": top["id"],
        "snippet": {
            "videoId": "v1",
            "topLevelComment": top,
            "canReply": True,
            "totalReplyCount": total,
            "isPublic": True,
        },
    }
    return item | ({"replies": {"comments": list(replies)}} if replies else {})


def page(*items: Any, after: str | None = None) -> dict[str, Any]:
    info = {"totalResults": 1000, "resultsPerPage": 50}
    token = {"nextPageToken": after} if after else {}
    return {
        "kind": "youtube#listResponse",
        "etag": "e",
        "pageInfo": info,
        "items": list(items),
    } | token


def refusal(status: int, reason: str, detail: str | None = None) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": status,
        "message": "The request cannot be completed.",
        "errors": [{"message": "m", "domain": "youtube.quota", "reason": reason}],
    }
    if detail:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": detail}
        error |= {"status": "INVALID_ARGUMENT", "details": [info]}
    return {"error": error}


@pytest.fixture
def adapter(make_source: Make) -> Youtube:
    source = make_source("youtube", BASE, query="Ate Vitarte", token="YT_KEY", comments=True)
    return Youtube(source, BASE, "AIza-secreta")


def test_the_key_is_in_a_header_alone(adapter: Youtube) -> None:
    ask = adapter.start()
    assert ask.url == (
        f"{BASE}/search?q=Ate+Vitarte&part=snippet&type=video&order=date&maxResults=50"
    )
    assert ask.headers == {"X-Goog-Api-Key": "AIza-secreta"}
    assert ask.needed


def test_a_channel_is_known_by_its_id(make_source: Make) -> None:
    source = make_source("youtube", BASE, query="UCabcdefghijklmnopqrstuv", token="YT_KEY")
    url = Youtube(source, BASE, "k").start().url
    assert "channelId=UCabcdefghijklmnopqrstuv" in url
    assert "q=" not in url


def test_videos_their_comments_and_the_page_after(adapter: Youtube, make_answer: Reply) -> None:
    found = page(video("v1", "Protesta en &quot;Santa Clara&quot; &amp; Ate"), after="CDIQAA")
    step = adapter.read(make_answer(adapter.start(), found))
    (draft,) = step.drafts
    assert draft.external_id == "youtube:video:v1"
    assert draft.kind is Kind.POST
    assert draft.title == 'Protesta en "Santa Clara" & Ate'
    assert draft.text == "Vecinos de Santa Clara bloquean la pista por falta de agua."
    assert draft.author == "Ate Noticias"
    assert draft.url == "https://www.youtube.com/watch?v=v1"
    assert draft.dates == ("2026-05-18T22:10:00Z",)
    threads, after = step.asks
    assert threads.url == (
        f"{BASE}/commentThreads?part=snippet%2Creplies&videoId=v1&maxResults=100&order=time"
        "&textFormat=plainText"
    )
    assert (threads.of, threads.needed, threads.older) == (draft.external_id, False, False)
    assert after.url == f"{adapter.start().url}&pageToken=CDIQAA"
    assert (after.needed, after.older) == (True, True)
    assert all(ask.headers == {"X-Goog-Api-Key": "AIza-secreta"} for ask in step.asks)


def test_threads_with_all_and_with_some_of_their_replies(
    adapter: Youtube, make_answer: Reply
) -> None:
    threads = adapter.read(make_answer(adapter.start(), page(video("v1", "t")))).asks[0]
    reply = comment("UgA.1", "Sí, tres días", parentId="UgA", authorDisplayName="@pepe")
    found = page(
        thread(comment("UgA", "¿Sigue sin agua?"), 1, reply),
        thread(comment("UgB", "Qué roche"), 7, comment("UgB.1", "jaja", parentId="UgB")),
        after="NEXT",
    )
    step = adapter.read(make_answer(threads, found))
    assert [(d.external_id, d.parent, d.thread) for d in step.drafts] == [
        ("UgA", VIDEO, VIDEO),
        ("UgA.1", "UgA", VIDEO),
        ("UgB", VIDEO, VIDEO),
    ]
    assert step.drafts[0].kind is Kind.COMMENT
    assert step.drafts[1].author == "@pepe"
    assert step.drafts[1].url == "https://www.youtube.com/watch?v=v1&lc=UgA.1"
    replies, after = step.asks
    assert replies.url == (
        f"{BASE}/comments?part=snippet&parentId=UgB&maxResults=100&textFormat=plainText"
    )
    assert after.url.endswith("&pageToken=NEXT")
    assert (after.needed, after.of) == (False, VIDEO)
    more = [comment(f"UgB.{n}", f"respuesta {n}", parentId="UgB") for n in range(7)]
    rest = adapter.read(make_answer(replies, page(*more)))
    assert {(d.parent, d.thread) for d in rest.drafts} == {("UgB", VIDEO)}
    assert len(rest.drafts) == 7
    again = adapter.read(make_answer(after, page(thread(comment("UgC", "último"), 0))))
    assert [d.external_id for d in again.drafts] == ["UgC"]


def test_turned_off_comments_are_no_fault(adapter: Youtube, make_answer: Reply) -> None:
    threads = adapter.read(make_answer(adapter.start(), page(video("v1", "t")))).asks[0]
    step = adapter.read(make_answer(threads, refusal(403, "commentsDisabled"), 403))
    assert (step.problems, step.stop, step.drafts) == ((), "", ())


@pytest.mark.parametrize(
    ("status", "reason", "detail", "words", "failure"),
    [
        (403, "quotaExceeded", None, "quota for today is used up", Failure.TEMPORARY),
        (403, "rateLimitExceeded", "RATE_LIMIT_EXCEEDED", "asks too often", Failure.TEMPORARY),
        (400, "badRequest", "API_KEY_INVALID", "variable YT_KEY is refused", Failure.HARD),
        (403, "accessNotConfigured", "SERVICE_DISABLED", "is not enabled", Failure.HARD),
        (403, "???", None, "variable YT_KEY is refused", Failure.HARD),
    ],
)
def test_why_a_key_is_refused(
    adapter: Youtube,
    make_answer: Reply,
    status: int,
    reason: str,
    detail: str | None,
    words: str,
    failure: Failure,
) -> None:
    step = adapter.read(make_answer(adapter.start(), refusal(status, reason, detail), status))
    assert words in step.stop
    assert [problem.outcome.failure for problem in step.problems] == [failure]
    assert "secreta" not in repr(step)


def test_a_video_that_is_gone_is_counted(adapter: Youtube, make_answer: Reply) -> None:
    threads = adapter.read(make_answer(adapter.start(), page(video("v1", "t")))).asks[0]
    step = adapter.read(make_answer(threads, refusal(404, "videoNotFound"), 404))
    assert [problem.outcome for problem in step.problems] == [Outcome.GONE]
    assert step.problems[0].detail.endswith("answered 404: videoNotFound")
    assert step.stop == ""


def test_items_without_what_they_must_have(adapter: Youtube, make_answer: Reply) -> None:
    broken = page({"id": {"kind": "youtube#channel"}}, {"id": "v9", "snippet": []}, "x")
    step = adapter.read(make_answer(adapter.start(), broken))
    assert [draft.external_id for draft in step.drafts] == [None, None]
    assert step.asks == ()
    stopped = adapter.read(make_answer(adapter.start(), {"kind": "youtube#searchListResponse"}))
    assert stopped.stop.endswith("holds no list of items")
