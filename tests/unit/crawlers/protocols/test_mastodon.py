"""Mastodon: timelines, their pages, and the threads around statuses."""

from collections.abc import Callable
from typing import Any

from crawlers.protocols.base import Answer
from crawlers.protocols.mastodon import Mastodon
from models.records import Kind, Outcome

Make = Callable[..., Any]
Reply = Callable[..., Answer]
SERVER = "https://mastodon.pe"


def account(identity: str, acct: str) -> dict[str, Any]:
    return {
        "id": identity,
        "username": acct.partition("@")[0],
        "acct": acct,
        "display_name": acct.title(),
        "bot": False,
        "url": f"{SERVER}/@{acct}",
    }


def status(identity: str, content: str, **about: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "created_at": "2026-05-19T15:04:05.000Z",
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": "es",
        "uri": f"{SERVER}/users/rosa/statuses/{identity}",
        "url": f"{SERVER}/@rosa/{identity}",
        "replies_count": 0,
        "reblogs_count": 0,
        "edited_at": None,
        "content": content,
        "reblog": None,
        "account": account("7", "rosa"),
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": "ate", "url": f"{SERVER}/tags/ate"}],
        "emojis": [],
        "card": None,
        "poll": None,
    } | about


def test_the_timeline_of_a_tag_is_asked_for(make_source: Make) -> None:
    ask = Mastodon(make_source("mastodon", SERVER, query="#Ate"), SERVER, None).start()
    assert (ask.url, ask.headers) == (f"{SERVER}/api/v1/timelines/tag/Ate?limit=40", {})


def test_without_a_tag_it_is_the_servers_own_people_and_a_token_is_a_header(
    make_source: Make,
) -> None:
    ask = Mastodon(make_source("mastodon", SERVER), f"{SERVER}/base/", "s3cr3t").start()
    assert ask.url == f"{SERVER}/base/api/v1/timelines/public?local=true&limit=40"
    assert ask.headers == {"Authorization": "Bearer s3cr3t"}


def test_statuses_their_page_after_and_their_replies(make_source: Make, make_answer: Reply) -> None:
    adapter = Mastodon(make_source("mastodon", SERVER, query="ate"), SERVER, None)
    after = f"{SERVER}/api/v1/timelines/tag/ate?limit=40&max_id=101"
    link = f'<{after}>; rel="next", <{SERVER}/api/v1/timelines/tag/ate?min_id=103>; rel="prev"'
    reply = status(
        "103",
        '<p><span class="h-card"><a href="#" class="u-url mention">@<span>rosa</span></a></span> '
        "igual por mi jirón</p>",
        in_reply_to_id="102",
        in_reply_to_account_id="7",
        uri="https://otro.social/objects/9",
        account=account("8", "lucho@otro.social"),
    )
    first = status(
        "102",
        "<p>Otra vez sin agua en Huaycán 😡<br>¿Y Sedapal?</p><p>Ya van 3 días</p>",
        spoiler_text="Agua",
    )
    copy = status("104", "", reblog=first)

    step = adapter.read(make_answer(adapter.start(), [copy, reply, first], headers={"link": link}))

    (draft,) = step.drafts
    assert draft.external_id == f"{SERVER}/users/rosa/statuses/102"
    assert draft.kind is Kind.POST
    assert draft.text == "Otra vez sin agua en Huaycán 😡\n¿Y Sedapal?\n\nYa van 3 días"
    assert draft.title == "Agua"
    assert draft.dates == ("2026-05-19T15:04:05.000Z",)
    assert draft.author == "rosa"
    assert draft.url == f"{SERVER}/@rosa/102"
    assert draft.capture_id == "c1"
    assert [(ask.url, ask.needed, ask.older) for ask in step.asks] == [(after, True, True)]
    assert [problem.outcome for problem in step.problems] == [Outcome.DUPLICATE]
    assert step.stop == ""
    assert adapter.read(make_answer(step.asks[0], [])).asks == ()
    (held,) = adapter.rest()
    assert held.external_id == "https://otro.social/objects/9"
    assert held.kind is Kind.COMMENT
    assert held.text == "@rosa igual por mi jirón"
    assert held.author == "lucho@otro.social"
    assert (held.parent, held.thread) == (draft.external_id, draft.external_id)
    assert adapter.rest() == ()


def test_a_reply_to_a_reply_knows_where_its_thread_begins(
    make_source: Make, make_answer: Reply
) -> None:
    adapter = Mastodon(make_source("mastodon", SERVER), SERVER, None)
    page = [
        status("3", "<p>tres</p>", in_reply_to_id="2"),
        status("2", "<p>dos</p>", in_reply_to_id="1"),
        status("1", "<p>uno</p>"),
    ]
    adapter.read(make_answer(adapter.start(), page))
    third, second = adapter.rest()
    one = f"{SERVER}/users/rosa/statuses/1"
    assert (second.parent, second.thread) == (one, one)
    assert (third.parent, third.thread) == (second.external_id, one)


def test_replies_that_answer_each_other_in_a_ring(make_source: Make, make_answer: Reply) -> None:
    adapter = Mastodon(make_source("mastodon", SERVER), SERVER, None)
    page = [
        status("1", "<p>uno</p>", in_reply_to_id="2"),
        status("2", "<p>dos</p>", in_reply_to_id="1"),
    ]
    adapter.read(make_answer(adapter.start(), page))
    assert len(adapter.rest()) == 2


def test_the_parent_of_a_person_of_this_server_is_known_without_being_read(
    make_source: Make, make_answer: Reply
) -> None:
    adapter = Mastodon(make_source("mastodon", SERVER), SERVER, None)
    to_rosa = {
        "in_reply_to_id": "55",
        "in_reply_to_account_id": "7",
        "account": account("8", "lucho@otro.social"),
        "mentions": [account("7", "rosa")],
    }
    to_other = to_rosa | {"in_reply_to_account_id": "9", "mentions": [account("9", "x@z.org")]}
    page = [status("60", "<p>sí</p>", **to_rosa), status("61", "<p>no</p>", **to_other)]
    adapter.read(make_answer(adapter.start(), page))
    known, unknown = adapter.rest()
    assert known.parent == f"{SERVER}/users/rosa/statuses/55"
    assert (unknown.parent, unknown.thread) == (None, None)


def test_comments_ask_for_the_thread_once(make_source: Make, make_answer: Reply) -> None:
    adapter = Mastodon(make_source("mastodon", SERVER, comments=True), SERVER, "s3cr3t")
    first = status("1", "<p>Robaron en la paradita</p>", replies_count=1)
    step = adapter.read(make_answer(adapter.start(), [first]))
    (ask,) = step.asks
    assert ask.url == f"{SERVER}/api/v1/statuses/1/context"
    assert ask.headers == {"Authorization": "Bearer s3cr3t"}
    assert (ask.of, ask.needed) == (first["uri"], False)
    answer = status("2", "<p>¿A qué hora?</p>", in_reply_to_id="1", replies_count=4)
    again = adapter.read(make_answer(ask, {"ancestors": [first], "descendants": [answer]}))
    assert again.asks == again.drafts == again.problems == ()
    (reply,) = adapter.rest()
    assert (reply.text, reply.parent) == ("¿A qué hora?", first["uri"])


def test_what_is_missing_or_is_no_list(make_source: Make, make_answer: Reply) -> None:
    adapter = Mastodon(make_source("mastodon", SERVER), SERVER, None)
    no_uri = status("1", "<p>hola</p>", uri=None)
    step = adapter.read(make_answer(adapter.start(), [no_uri, 7, None]))
    assert [draft.external_id for draft in step.drafts] == [None]
    stopped = adapter.read(make_answer(adapter.start(), {"error": "This method requires a login"}))
    assert stopped.stop.endswith("holds no list of statuses")
    page = adapter.read(make_answer(adapter.start(), "<!doctype html><p>Mantenimiento</p>"))
    assert [problem.outcome for problem in page.problems] == [Outcome.UNREADABLE]
    assert page.problems[0].detail.endswith("is a page, not JSON")
