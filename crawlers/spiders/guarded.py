"""What stands between an adapter's requests and the network: the token, and how often to ask."""

from typing import Any, Self

from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request, Response

from crawlers.politeness import Retry
from crawlers.protocols.secret import hide

CARRIES_TOKEN = "carries_token"  # noqa: S105 - the key of a request's meta, not a token

TOO_MANY = 429


class PatientRetry(Retry):
    """Retries as ever, but does not ask at once again after a 429 that names no wait."""

    def process_response(  # type: ignore[override]
        self, request: Request, response: Response
    ) -> Request | Response:
        """Leave such an answer to the adapter."""
        if response.status == TOO_MANY and not response.headers.get("Retry-After"):
            return response
        return super().process_response(request, response)


class Scrubber:
    """Takes the token out of answers before they are archived; some platforms repeat it."""

    def __init__(self, spider: Any) -> None:
        self._spider = spider

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the scrubber of a crawl."""
        return cls(crawler.spider)

    def process_response(self, request: Request, response: Response) -> Response:
        """Return a response without the token in its headers and its body.

        One that came compressed, though that was not asked for, is refused unread.
        """
        token = self._spider.token
        if not token or not request.meta.get(CARRIES_TOKEN):
            return response
        if (response.headers.get("Content-Encoding") or b"identity").lower() != b"identity":
            raise IgnoreRequest("its answer came compressed, which was not asked for")
        headers = {
            name: [hide(value, token) for value in values]
            for name, values in response.headers.items()
        }
        return response.replace(headers=headers, body=hide(response.body, token))
