"""X API v2: recent search, newest first, with next_token, rate-limit headers and a token."""

from time import time
from typing import Any, Final

from crawlers.sandbox.answers import Call, Page, as_json, bearer, zulu
from crawlers.sandbox.items import Item, Remark
from crawlers.sandbox.names import handle
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import Site
from crawlers.sandbox.town import Town

LIMIT: Final = 450
RESET_AFTER: Final = 900
_ALWAYS: Final = ("id", "text", "edit_history_tweet_ids")


class X(Base):
    """Everything that a search for the district finds."""

    def __init__(self, town: Town, site: Site) -> None:
        super().__init__(town, site)
        found: list[tuple[int, Item | Remark, Item]] = []
        found += [(int(item.key), item, item) for item in self.items]
        found += [(int(each.key), each, item) for item in self.items for each in item.remarks]
        found.sort(key=lambda entry: entry[0], reverse=True)
        self._entries = found
        self._left = LIMIT

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer a search; every answer says how many requests are left."""
        if rest.removeprefix("2/") != "tweets/search/recent":
            return None
        if not bearer(call):
            return as_json(
                {"title": "Unauthorized", "type": "about:blank", "status": 401,
                 "detail": "Unauthorized"}, 401)  # fmt: skip
        if problem := _wrong(call):
            return as_json(problem, 400)
        return self._search(call)

    def _search(self, call: Call) -> Page:
        after, before = call.moment("start_time"), call.moment("end_time")
        since, until = (
            call.number("since_id", 0, 0, 2**63),
            call.number("until_id", 2**63, 0, 2**63),
        )
        token = call.first("next_token") or call.first("pagination_token")
        top = min(until, _place(token))
        found = [
            entry
            for entry in self._entries
            if since < entry[0] < top
            and (not after or entry[1].said_at >= after)
            and (not before or entry[1].said_at < before)
        ]
        size = call.number("max_results", 10, 10, 100)
        page = found[:size]
        meta: dict[str, Any] = {"result_count": len(page)}
        body: dict[str, Any] = {"meta": meta}
        if page:
            meta |= {"newest_id": str(page[0][0]), "oldest_id": str(page[-1][0])}
            body = {"data": [_post(call, *entry[1:]) for entry in page], "meta": meta}
        if "author_id" in call.first("expansions") and page:
            body["includes"] = {"users": _users(page)}
        if len(found) > size:
            meta["next_token"] = f"b26v{page[-1][0]:x}"
        return as_json(body, headers=self._limits(call))

    def _limits(self, call: Call) -> tuple[tuple[str, str], ...]:
        del call
        self._left = self._left - 1 if self._left > 1 else LIMIT
        reset = int(time()) + RESET_AFTER
        return (
            ("x-rate-limit-limit", str(LIMIT)),
            ("x-rate-limit-remaining", str(self._left)),
            ("x-rate-limit-reset", str(reset)),
        )


def _wrong(call: Call) -> dict[str, Any] | None:
    message = ""
    if not call.first("query").strip():
        message = "The `query` query parameter can not be empty"
    elif call.first("max_results") and not 10 <= call.number("max_results", 0, 0, 10**9) <= 100:
        given = call.first("max_results")[:20]
        message = f"The `max_results` query parameter value [{given}] is not between 10 and 100"
    if not message:
        return None
    return {
        "errors": [{"parameters": {}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }


def _post(call: Call, said: Item | Remark, item: Item) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": said.key,
        "text": said.words if isinstance(said, Item) else said.text.text,
        "edit_history_tweet_ids": [said.key],
        "author_id": _author(said),
        "conversation_id": item.key,
        "created_at": zulu(said.said_at, fraction=True),
        "lang": "es",
        "public_metrics": {
            "retweet_count": said.number % 5,
            "reply_count": len(item.remarks) if said is item else 0,
            "like_count": said.number % 23,
            "quote_count": 0,
        },
    }
    if said is not item:
        shown["in_reply_to_user_id"] = _author(item)
        shown["referenced_tweets"] = [{"type": "replied_to", "id": item.key}]
    wanted = {*_ALWAYS, *call.first("tweet.fields").split(",")}
    return {name: value for name, value in shown.items() if name in wanted}


def _users(page: list[tuple[int, Item | Remark, Item]]) -> list[dict[str, Any]]:
    users = {
        _author(said): {
            "id": _author(said),
            "name": said.text.author,
            "username": handle(said.text.author)[:15],
        }
        for _, said, _ in page
    }
    return list(users.values())


def _author(said: Item | Remark) -> str:
    return str(1_400_000_000_000 + said.number)


def _place(token: str) -> int:
    try:
        return int(token.removeprefix("b26v"), 16) if token else 2**63
    except ValueError:
        return 2**63
