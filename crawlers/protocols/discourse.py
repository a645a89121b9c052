"""Discourse: the topics of a forum, or of one of its categories, with all their posts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode, urljoin, urlsplit
from zoneinfo import ZoneInfo

from lxml import etree

from configs.schema import Source
from crawlers.extract.dates import moment
from crawlers.extract.text import parse_html, text_of
from crawlers.known import fingerprint
from crawlers.listings import LOOKED_FOR
from crawlers.protocols.base import (
    LONGEST_MARKUP,
    Answer,
    Ask,
    Broken,
    Problem,
    Step,
    draft,
    failed,
    kind_of,
    look,
    markup,
    parse_json,
    title,
    unreadable,
    word,
)
from crawlers.protocols.lists import (
    CLOSED,
    missing,
    mistyped,
    no_identity,
    objects,
    shut,
    sorted_out,
)
from crawlers.protocols.secret import same_site
from crawlers.rules import Draft
from models.records import Kind, Opener

AT_ONCE = 20
"""Posts that one request asks for, as Discourse's own pages do."""

MOST_POSTS = 10_000
"""Discourse closes topics that are longer."""

_LIST = re.compile(r"/(?:latest|new|top|hot)(?:\.json)?/?$|/(?:c|tag)/")
_SMALL_ACTION, _WHISPER = "3", "4"
_UTC = ZoneInfo("UTC")


class Discourse:
    """Reads topics as threads: the first post opens one, the others answer it."""

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        del token
        self._source = source
        address = url.partition("#")[0]
        parts = urlsplit(address)
        found = _LIST.search(parts.path)
        path = parts.path[: found.start()] if found else parts.path
        self._root = parts._replace(path=path, query="").geturl().rstrip("/")
        self._list = address if found else f"{self._root}/latest.json"

    def start(self) -> Ask:
        """Ask for the newest topics."""
        return self._ask_list(self._list, frozenset())

    def _ask_list(self, url: str, seen: frozenset[str]) -> Ask:
        return Ask(
            _as_json(url),
            headers={"Accept": "application/json"},
            about={"is": "list", "seen": seen},
            errors=CLOSED,
            needed=True,
            older=bool(seen),
            lists=(LOOKED_FOR,),
        )

    def read(self, answer: Answer) -> Step:
        """Read a list of topics, a topic, or further posts of one."""
        is_list = answer.about.get("is", "list") == "list"
        if answer.status in CLOSED:
            return _closed(answer) if is_list else missing(answer)
        value = parse_json(answer.body, answer.content_type)
        if isinstance(value, Broken):
            return _unreadable(answer, value.why, is_list=is_list)
        return self._topics(answer, value) if is_list else self._posts(answer, value)

    def _topics(self, answer: Answer, value: object) -> Step:
        if not isinstance(look(value, "topic_list", "topics"), list):
            return _unreadable(answer, "holds no list of topics", is_list=True)
        topics, problems = objects(answer, value, "topic_list", "topics")
        seen: frozenset[str] = answer.about.get("seen", frozenset())
        by_id = {word(topic, "id"): topic for topic in topics}
        fresh = [own for own in by_id if own.isdecimal() and own not in seen]
        if without := sum(not word(topic, "id").isdecimal() for topic in topics):
            problems += (no_identity(answer, f"{without} topics"),)
        asks = [
            self._ask_topic(
                own, _as_listed(by_id[own]), _last_activity(by_id[own], answer.fetched_at)
            )
            for own in fresh
        ]
        after = word(value, "topic_list", "more_topics_url")
        if fresh and after and (url := _inside(after, answer.url)):
            asks.append(self._ask_list(url, seen | set(fresh)))
        return Step(asks=tuple(asks), problems=problems, present=tuple(map(_opener, fresh)))

    def look_for(self, opener: Opener, listed: frozenset[str]) -> Ask | None:
        """Ask for a topic that the newest lists no longer hold."""
        topic = opener.external_id.removeprefix("discourse:topic:").removesuffix(":1")
        if opener.external_id in listed or not topic.isdecimal():
            return None
        return self._ask_topic(topic, "", None)

    def _ask_topic(self, topic: str, mark: str, at: datetime | None) -> Ask:
        ask = self._ask_posts(f"{self._root}/t/{topic}.json", topic, start=True)
        about = {**ask.about, "mark": mark}
        return replace(ask, about=about, mark=mark, counted=True, at=at, own=_opener(topic))

    def _ask_posts(self, url: str, topic: str, *, start: bool) -> Ask:
        return Ask(
            url,
            headers={"Accept": "application/json"},
            about={"is": "topic", "topic": topic, "start": start},
            errors=CLOSED,
            of=_opener(topic),
            lists=(_opener(topic),),
        )

    def _posts(self, answer: Answer, value: object) -> Step:
        if not isinstance(look(value, "post_stream", "posts"), list):
            return _unreadable(answer, "holds no posts", is_list=False)
        posts, problems = objects(answer, value, "post_stream", "posts")
        heading = title(value, "title")
        step = sorted_out(self._post(answer, post, heading) for post in posts)
        asks = tuple(self._others(answer, value, posts)) if answer.about.get("start") else ()
        topic = answer.about.get("topic", "")
        taken = (word(post, "post_number") for post in posts if _is_gone(post))
        gone = tuple(f"discourse:topic:{topic}:{own}" for own in taken if own.isdecimal())
        return Step(step.drafts, asks, problems + step.problems, gone=gone)

    def _post(
        self, answer: Answer, post: dict[str, object], heading: str | None
    ) -> Draft | Problem | None:
        """Return a post; nothing for what the forum itself says, hides, or has deleted."""
        topic = answer.about.get("topic", "")
        own = word(post, "post_number")
        if word(post, "post_type") in (_SMALL_ACTION, _WHISPER) or _is_gone(post):
            return None
        if not own.isdecimal():
            return no_identity(answer, "a post")
        identity = f"discourse:topic:{topic}:{own}"
        if not isinstance(look(post, "cooked"), str):
            return mistyped(identity, "cooked")
        is_first = own == "1"
        replied = word(post, "reply_to_post_number")
        listed = {"fingerprint": answer.about.get("mark"), "counted": True} if is_first else {}
        return draft(
            answer,
            identity,
            kind_of(self._source) if is_first else Kind.COMMENT,
            text=_said(post),
            title=heading if is_first else None,
            author=word(post, "username") or word(post, "name") or None,
            dates=(word(post, "created_at") or None,),
            url=f"{self._root}/t/{topic}/{own}",
            parent=None if is_first else f"discourse:topic:{topic}:{_parent(replied, own)}",
            thread=None if is_first else _opener(topic),
            **{name: value for name, value in listed.items() if value},
        )

    def _others(
        self, answer: Answer, value: object, posts: list[dict[str, object]]
    ) -> Iterator[Ask]:
        """Ask for the posts that a topic's first answer only names."""
        topic = answer.about.get("topic", "")
        stream = look(value, "post_stream", "stream")
        given = {word(post, "id") for post in posts}
        ids = [word(own) for own in stream[:MOST_POSTS]] if isinstance(stream, list) else []
        left = [own for own in dict.fromkeys(ids) if own.isdecimal() and own not in given]
        for start in range(0, len(left), AT_ONCE):
            query = urlencode([("post_ids[]", own) for own in left[start : start + AT_ONCE]])
            url = f"{self._root}/t/{topic}/posts.json?{query}"
            yield self._ask_posts(url, topic, start=False)


def _opener(topic: str) -> str:
    """Return the external id of a topic's first post."""
    return f"discourse:topic:{topic}:1"


def _as_listed(topic: dict[str, object]) -> str:
    """Return the fingerprint of what a list tells of a topic and its posts."""
    counts = (word(topic, name) for name in ("posts_count", "highest_post_number"))
    moments = (word(topic, name) for name in ("last_posted_at", "bumped_at"))
    return fingerprint(_opener(word(topic, "id")), title(topic, "title"), *counts, *moments)


def _last_activity(topic: dict[str, object], now: datetime) -> datetime | None:
    """Return when somebody last said something in a topic; nothing of one kept on top."""
    if topic.get("pinned") or topic.get("pinned_globally"):
        return None
    return moment(word(topic, "last_posted_at") or word(topic, "bumped_at"), _UTC, now)


def _as_json(url: str) -> str:
    """Return the address of a list as that of its JSON, which it names as a page."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(".json") else f"{path}.json").geturl()


def _inside(address: str, base: str) -> str:
    try:
        url = urljoin(base, address)
    except ValueError:
        return ""
    return url if same_site(url, base) else ""


def _is_gone(post: dict[str, object]) -> bool:
    return bool(post.get("hidden") or post.get("user_deleted") or post.get("deleted_at"))


def _parent(replied: str, own: str) -> str:
    """Return the number of the post that is answered: the first, if none is named."""
    return replied if replied.isdecimal() and replied not in ("0", own) else "1"


def _said(post: dict[str, object]) -> str:
    """Return a post's text without what it quotes of others and the cards of links."""
    cooked = str(post.get("cooked"))
    if len(cooked) > LONGEST_MARKUP or "<aside" not in cooked:
        return markup(post, "cooked")
    tree = parse_html(f"<div>{cooked}</div>")
    if tree is None:
        return ""
    quotes: list[etree._Element] = tree.xpath("//aside")
    return text_of(tree, frozenset(quotes))


def _unreadable(answer: Answer, why: str, *, is_list: bool) -> Step:
    """Without its first list there is no forum; without one topic there are the others."""
    if is_list and not answer.about.get("seen"):
        return failed(answer, f"{why}; is it a Discourse forum?")
    return Step(problems=(unreadable(answer, why),))


def _closed(answer: Answer) -> Step:
    said = f"{answer.url} answered {answer.status}"
    if answer.status in (401, 402, 403):
        return shut(answer, f"{said}: the forum shows its topics only to who logs in")
    detail = f"{said}: there is no list of topics"
    return missing(answer) if answer.about.get("seen") else shut(answer, detail)
