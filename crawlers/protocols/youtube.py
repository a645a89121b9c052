"""YouTube: the Data API v3, for the videos of a search or a channel and their comments."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from configs.schema import Source
from crawlers.extract.text import line, plain
from crawlers.protocols.base import (
    Answer,
    Ask,
    Broken,
    Step,
    draft,
    failed,
    joined,
    kind_of,
    look,
    markup,
    number,
    parse_json,
    prose,
    rows,
    title,
    unreadable,
    with_query,
    word,
)
from crawlers.protocols.refusals import (
    closed,
    code_of,
    gone_wrong,
    refused,
    temporary,
    token_refused,
)
from crawlers.rules import Draft
from models.records import Kind

ERRORS = frozenset({400, 403, 404})

QUOTA = {
    "quotaExceeded": "the key's quota for today is used up, and renewed at midnight in California",
    "dailyLimitExceeded": "the key's limit for today is reached",
    "rateLimitExceeded": "the key asks too often",
    "userRateLimitExceeded": "the key asks too often",
}
BAD_KEY = frozenset({"keyInvalid", "keyExpired", "API_KEY_INVALID", "ipRefererBlocked"})
NOT_ENABLED = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})

_CHANNEL = re.compile(r"UC[A-Za-z0-9_-]{22}")
_LONGEST_TITLE_MARKUP = 20_000


class Youtube:
    """Reads videos and comments; the key travels in a header, never in an address."""

    def __init__(self, source: Source, url: str, token: str | None) -> None:
        self._source = source
        self._url = url
        self._headers = {"X-Goog-Api-Key": token} if token else {}

    def start(self) -> Ask:
        """Ask for the newest videos of the channel, or of the words."""
        query = (self._source.query or "").strip()
        by = "channelId" if _CHANNEL.fullmatch(query) else "q"
        return self._ask(
            "search", {}, **{by: query}, part="snippet", type="video", order="date", maxResults="50"
        )

    def _ask(self, path: str, about: dict[str, str], **query: str) -> Ask:
        url = joined(self._url, path, **query)
        return self._to(url, about)

    def _to(self, url: str, about: Mapping[str, Any]) -> Ask:
        return Ask(
            url,
            headers=self._headers,
            about=about,
            errors=ERRORS,
            needed=not about,
            older=not about,
            of=_identity(str(about.get("video", ""))),
            lists=(_identity(str(about["video"])),) if about else (),
        )

    def read(self, answer: Answer) -> Step:
        """Read a page of videos, of threads, or of a thread's replies."""
        value = parse_json(answer.body, answer.content_type)
        if answer.status >= 400:
            return self._refusal(answer, value)
        if isinstance(value, Broken):
            return Step(problems=(unreadable(answer, value.why),))
        if not isinstance(look(value, "items"), list):
            return self._no_list(answer)
        if answer.about.get("thread"):
            step = self._replies(answer, rows(value, "items"))
        elif answer.about.get("video"):
            step = self._threads(answer, rows(value, "items"))
        else:
            step = self._videos(answer, rows(value, "items"))
        token = word(value, "nextPageToken")
        if not token:
            return step
        after = self._to(with_query(answer.url, pageToken=token), answer.about)
        return replace(step, asks=(*step.asks, after))

    def _no_list(self, answer: Answer) -> Step:
        why = "holds no list of items"
        return Step(problems=(unreadable(answer, why),)) if answer.about else failed(answer, why)

    def _refusal(self, answer: Answer, value: object) -> Step:
        reasons = _reasons(value)
        for reason in reasons:
            if reason in QUOTA:
                return temporary(answer, QUOTA[reason])
            if reason in BAD_KEY:
                return token_refused(answer, self._source, reason)
            if reason in NOT_ENABLED:
                return closed(answer, _not_enabled(answer, self._source))
            if reason == "commentsDisabled":  # nothing is missing: nobody can say anything there
                return Step()
        if answer.status == 403 and not reasons:
            return refused(answer, self._source) or gone_wrong(answer)
        return gone_wrong(answer, reasons[0] if reasons else "")

    def _videos(self, answer: Answer, items: list[dict[str, object]]) -> Step:
        drafts, asks = [], []
        for item in items:
            video = word(item, "id", "videoId")
            drafts.append(
                draft(
                    answer,
                    _identity(video),
                    kind_of(self._source),
                    text=prose(item, "snippet", "description"),
                    dates=(word(item, "snippet", "publishedAt"),),
                    title=_title(item),
                    author=word(item, "snippet", "channelTitle") or None,
                    url=f"https://www.youtube.com/watch?v={video}",
                )
            )
            if self._source.comments and video:
                asks.append(self._comments_of(video))
        return Step(tuple(drafts), tuple(asks))

    def _comments_of(self, video: str) -> Ask:
        return self._ask(
            "commentThreads",
            {"video": video},
            part="snippet,replies",
            videoId=video,
            maxResults="100",
            order="time",
            textFormat="plainText",
        )

    def _threads(self, answer: Answer, items: list[dict[str, object]]) -> Step:
        """Read threads; the replies that come with one are a sample, so others are asked for."""
        video = str(answer.about["video"])
        drafts: list[Draft] = []
        asks: list[Ask] = []
        for item in items:
            top = look(item, "snippet", "topLevelComment")
            drafts.append(_comment(answer, top, video, parent=_identity(video)))
            identity = word(top, "id")
            replies = rows(item, "replies", "comments")
            wanted = number(item, "snippet", "totalReplyCount") or 0
            if wanted > len(replies) and identity:
                asks.append(self._replies_of(identity, video))
            else:
                parent = identity or _identity(video)
                drafts += [_comment(answer, reply, video, parent=parent) for reply in replies]
        return Step(tuple(drafts), tuple(asks))

    def _replies_of(self, thread: str, video: str) -> Ask:
        return self._ask(
            "comments",
            {"video": video, "thread": thread},
            part="snippet",
            parentId=thread,
            maxResults="100",
            textFormat="plainText",
        )

    def _replies(self, answer: Answer, items: list[dict[str, object]]) -> Step:
        video, thread = str(answer.about.get("video", "")), str(answer.about["thread"])
        return Step(tuple(_comment(answer, item, video, parent=thread) for item in items))


def _comment(answer: Answer, item: object, video: str, parent: str) -> Draft:
    identity = word(item, "id")
    text = prose(item, "snippet", "textOriginal") or markup(item, "snippet", "textDisplay")
    return draft(
        answer,
        identity,
        Kind.COMMENT,
        text=text,
        dates=(word(item, "snippet", "publishedAt"),),
        author=word(item, "snippet", "authorDisplayName") or None,
        url=f"https://www.youtube.com/watch?v={video}&lc={identity}",
        parent=word(item, "snippet", "parentId") or parent,
        thread=_identity(video),
    )


def _identity(video: str) -> str:
    """Return the id of a video's record, which no comment can have."""
    return f"youtube:video:{video}" if video else ""


def _title(item: dict[str, object]) -> str | None:
    """Return a video's title; a search writes its quotation marks as HTML does."""
    found = title(item, "snippet", "title")
    if found is None or len(found) > _LONGEST_TITLE_MARKUP:
        return found
    return line(plain(found))


def _reasons(value: object) -> list[str]:
    """Return the codes of an error, the most exact first."""
    details = [word(row, "reason") for row in rows(value, "error", "details")]
    errors = [word(row, "reason") for row in rows(value, "error", "errors")]
    return [code for reason in (*details, *errors) if (code := code_of(reason))]


def _not_enabled(answer: Answer, source: Source) -> str:
    return (
        f"{answer.url} answered {answer.status}: the YouTube Data API v3 is not enabled for the"
        f" project of the key in the environment variable {source.token}"
    )
