"""Sends tokens that a platform takes in the address alone, and keeps them out of everything else.

It is the last thing before the network: middlewares, archive and logs know the address without.
"""

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Request, Response

from crawlers.protocols.base import with_query

TOKEN_AS = "token_as"  # noqa: S105 - the key of a request's meta, not a token
"""The key of a request's ``meta`` that names the parameter for the token; empty for none."""


class KeyedHandler(HTTP11DownloadHandler):
    """Scrapy's handler, which adds the crawl's token to the address of a request that names how."""

    async def download_request(self, request: Request) -> Response:
        """Send a request with its token; the response has the address without it."""
        name = request.meta.get(TOKEN_AS)
        token = getattr(self._crawler.spider, "token", None)
        if not name or not token:
            return await super().download_request(request)
        keyed = request.replace(url=with_query(request.url, **{name: token}))
        response: Response = await super().download_request(keyed)
        return response.replace(url=request.url)
