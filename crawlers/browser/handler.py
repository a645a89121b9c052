"""Sends requests through Chromium where a source wants its pages rendered.

scrapy-playwright drives the browser in the event loop that Scrapy runs in already. What the
browser does by itself is held to the rules of every crawl: each connection passes
`crawlers.browser.proxy`, each request of a page robots.txt and the limits.
"""

import asyncio
import contextlib
import os
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import Request as PageRequest
from playwright.async_api import TimeoutError as PlaywrightTimeout
from scrapy.exceptions import (
    DownloadCancelledError,
    DownloadFailedError,
    DownloadTimeoutError,
)
from scrapy.http import Request, Response
from scrapy_playwright.handler import ScrapyPlaywrightDownloadHandler
from scrapy_playwright.page import PageMethod

from crawlers.browser.need import chromium
from crawlers.browser.proxy import GuardedProxy
from crawlers.middlewares import NotAllowed, Robots, RobotsDenied
from crawlers.politeness import ROBOTS_TXT, recorder_of
from crawlers.settings import PRIVATE_DOORS
from models.reasons import Reason
from models.records import Protocol

CONTEXT = "MANIFIESTA_BROWSER_CONTEXT"
"""Our own setting: how the browser presents itself, and what it may not do."""

QUIET_FOR_AT_MOST = 5_000
"""Milliseconds that a loaded page may take to become quiet."""

MOST_REQUESTS = 100
"""Requests of one page."""

MORE_THAN_THE_PAGE = 4
"""A page's scripts and data together may be so many times larger than one response."""

_WANTED = frozenset({"document", "script", "xhr", "fetch", "stylesheet"})
_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ARGUMENTS = [
    "--disable-quic",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--dns-prefetch-disable",
    "--disable-background-networking",
    "--disable-component-update",
    "--js-flags=--max-old-space-size=512",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


class BrowserHandler(ScrapyPlaywrightDownloadHandler):  # type: ignore[misc]
    """Renders pages; robots.txt and a feed itself are fetched as ever."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        job = recorder_of(crawler).job
        self._limits = job.source.limits
        self._proxy = GuardedProxy(crawler.settings[PRIVATE_DOORS], self._limits.timeout)
        self._asked = 0
        self._denied = ""
        self._is_started = False
        self.abort_request = self._refuses

    async def _launch(self) -> None:
        """Do nothing when the crawl starts: of the two handlers, one a scheme, few need both."""

    async def _start_browser(self) -> None:
        if self._is_started:
            return
        self._is_started = True
        port = await self._proxy.start()
        self.config.launch_options |= {
            "executable_path": chromium(),
            "args": _ARGUMENTS,
            "proxy": {"server": f"http://127.0.0.1:{port}"},
            "chromium_sandbox": os.geteuid() != 0,  # it does not start as root
            "env": {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        }
        await super()._launch()

    async def _close(self) -> None:
        self._proxy.close()
        with contextlib.suppress(PlaywrightError, TimeoutError):
            await asyncio.wait_for(super()._close(), self._limits.timeout)

    async def download_request(self, request: Request) -> Response:
        """Render a page, or fetch what is none."""
        recorder = recorder_of(self._crawler)
        first = (request.meta.get("redirect_urls") or [request.url])[0]
        is_feed = recorder.job.source.protocol is Protocol.FEED and first == recorder.job.url
        if request.meta.get(ROBOTS_TXT) or is_feed:
            fetched: Response = await super().download_request(request)
            return fetched
        request.meta.update(
            playwright=True,
            playwright_context_kwargs=self._crawler.settings.getdict(CONTEXT),
            playwright_page_methods=[PageMethod(_settle)],
            playwright_page_init_callback=_stay_alone,
        )
        return await self._rendered(request)

    async def _rendered(self, request: Request) -> Response:
        await self._start_browser()
        self._asked, self._denied = 0, ""
        self._proxy.begin(MORE_THAN_THE_PAGE * self._limits.max_bytes)
        patience = self._limits.timeout + QUIET_FOR_AT_MOST / 1_000
        try:
            response: Response = await asyncio.wait_for(super().download_request(request), patience)
        except (TimeoutError, PlaywrightTimeout) as error:
            await self._end_browser()
            self._check_size()
            raise DownloadTimeoutError(f"{request.url} was not rendered in time") from error
        except PlaywrightError as error:
            self._check_hosts([request.url])
            self._check_size()
            said = error.message.splitlines()[0][:200]
            raise DownloadFailedError(f"the browser says: {said}") from error
        await self._check(request, response)
        return response

    async def _check(self, request: Request, response: Response) -> None:
        """Look at where the browser ended, which nobody saw on its way."""
        visited = [*request.meta.get("redirect_urls", ()), response.url]
        self._check_hosts(visited)
        for url in visited:
            if self._denied or (url != request.url and not await self._may_end(url, request.url)):
                there = self._denied or url
                raise RobotsDenied(Reason.ROBOTS_BY_SCRIPT.said(detail=there, url=request.url))
        if urlsplit(response.url).scheme not in ("http", "https"):
            raise DownloadFailedError("its scripts lead to a page that cannot be read")
        self._check_size(len(response.body))

    async def _may_end(self, url: str, page: str) -> bool:
        return urlsplit(url).scheme == "chrome-error" or await self._allows(url, page)

    def _check_hosts(self, urls: list[str]) -> None:
        for url in urls:
            if why := self._proxy.refused.get((urlsplit(url).hostname or "").lower()):
                raise NotAllowed(Reason.NOT_ALLOWED.said(url=url, detail=why))

    def _check_size(self, size: int = 0) -> None:
        if self._proxy.is_used_up or size > self._limits.max_bytes:
            raise DownloadCancelledError("more came than one page may have")

    async def _end_browser(self) -> None:
        """End a browser that hangs; the next page gets a new one."""
        if hasattr(self, "browser"):
            with contextlib.suppress(PlaywrightError, TimeoutError):
                await asyncio.wait_for(self.browser.close(), QUIET_FOR_AT_MOST / 1_000)

    async def _refuses(self, asked: PageRequest) -> bool:
        """Say whether a page may not have something; what is no text is never asked for."""
        self._asked += 1
        if asked.is_navigation_request() and self._asked == 1:
            return False  # the crawl itself asked for it
        recorder = recorder_of(self._crawler)
        is_wanted = asked.resource_type in _WANTED and asked.method in _METHODS
        is_inner = asked.is_navigation_request() and asked.frame.parent_frame is not None
        if not is_wanted or is_inner or self._asked > MOST_REQUESTS:
            return True
        if recorder.requests >= self._limits.max_requests:
            return True
        recorder.requests += 1
        is_allowed = await self._allows(asked.url, asked.frame.page.url)
        if asked.is_navigation_request() and not is_allowed:
            self._denied = asked.url
        return not is_allowed

    async def _allows(self, url: str, page: str) -> bool:
        """Say whether robots.txt allows an address that a page asks for.

        The robots.txt of another port on the page's own host cannot be had while the page takes
        the host's only connection, so nothing is read there.
        """
        there, here = urlsplit(url), urlsplit(page)
        if there.scheme in ("data", "blob"):
            return True
        if there.scheme not in ("http", "https"):
            return False
        if there.hostname == here.hostname and there.netloc != here.netloc:
            return False
        found = self._crawler.engine.downloader.middleware.middlewares
        robots = next(each for each in found if isinstance(each, Robots))
        parser = await robots.robot_parser(Request(url))
        return parser is None or bool(parser.allowed(url, self._crawler.settings["USER_AGENT"]))


async def _settle(page: Page) -> None:
    """Wait until a page's scripts have fetched what they show, or for a few seconds."""
    with contextlib.suppress(PlaywrightTimeout):
        await page.wait_for_load_state("networkidle", timeout=QUIET_FOR_AT_MOST)


async def _stay_alone(page: Page, request: Request) -> None:
    """Open no other window, and no connection that stays."""
    del request
    await page.add_init_script("window.open = () => null")
    await page.route_web_socket("**/*", lambda opened: opened.close())
    page.on("popup", lambda popup: asyncio.ensure_future(popup.close()))
