"""One look at an address: it is fetched as every page is, and its answer archived."""

from collections.abc import AsyncIterator, Iterator

from scrapy.http import Request, Response

from crawlers.spiders.base import SourceSpider

REFUSALS = [400, 401, 403, 404]
"""Answers by which the interface of a platform can be told, though they refuse."""


class LookSpider(SourceSpider):
    """Fetches an address once, through all guards; what it is, is told from the archive."""

    name = "look"

    async def start(self) -> AsyncIterator[Request]:
        """Ask for the address."""
        request = self.request(self.recorder.job.url, self.read_start, self.start_failed)
        request.meta["handle_httpstatus_list"] = REFUSALS
        yield request

    def read_start(self, response: Response) -> Iterator[Request]:
        """Leave the answer as it is."""
        del response
        yield from ()
