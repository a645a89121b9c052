"""The Scrapy settings of every crawl: polite, bounded, and closed where Scrapy is open."""

from typing import Any

from crawlers.addresses import private_doors
from crawlers.job import CrawlJob
from models.records import Protocol

PRIVATE_DOORS = "MANIFIESTA_PRIVATE_DOORS"
"""Our own setting: the private and loopback addresses that may be connected to."""

FEED_DEPTH = 20
"""A feed leads to a page and its thread's pages; nothing else is followed."""

SHOWN = (
    "ROBOTSTXT_OBEY",
    "USER_AGENT",
    "DOWNLOAD_DELAY",
    "DOWNLOAD_DELAY_JITTER",
    "AUTOTHROTTLE_ENABLED",
    "CONCURRENT_REQUESTS",
    "CONCURRENT_REQUESTS_PER_DOMAIN",
    "CONCURRENT_ITEMS",
    "DOWNLOAD_TIMEOUT",
    "DOWNLOAD_MAXSIZE",
    "REDIRECT_MAX_TIMES",
    "METAREFRESH_ENABLED",
    "RETRY_TIMES",
    "DOWNLOAD_VERIFY_CERTIFICATES",
    "DOWNLOAD_HANDLERS",
    "TELNETCONSOLE_ENABLED",
    "REMOTE_CONTROL_ENABLED",
    "COOKIES_ENABLED",
    "REFERER_ENABLED",
    "HTTPPROXY_ENABLED",
    "HTTPCACHE_ENABLED",
    "DEPTH_LIMIT",
    "CLOSESPIDER_TIMEOUT",
    "MEMUSAGE_LIMIT_MB",
    "TWISTED_DNS_RESOLVER",
    "LOG_LEVEL",
)
"""The settings that a crawl's summary shows as they really ran."""


HANDLER = "scrapy.core.downloader.handlers.http11.HTTP11DownloadHandler"
"""What sends requests over HTTP and HTTPS."""

CLOSED, WEB = ("data", "file", "ftp", "s3"), ("http", "https")
"""Schemes that no crawl may use, and those that only a replay may not."""


def settings_for(job: CrawlJob) -> dict[str, Any]:
    """Return the settings of one crawl."""
    return {
        **_polite(job),
        **_bounded(job),
        **_closed(job),
        **_components(job),
        **_browser(job),
        "LOG_LEVEL": "WARNING",
        "LOG_VERSIONS": [],  # looking them up takes as long as a small feed, and nobody reads it
        "LOG_FORMAT": "%(levelname)s %(name)s: %(message)s",
        "STATS_DUMP": False,
        "LOGSTATS_INTERVAL": 0.0,
        # it reads the source of a callback before each answer, to warn whoever writes the callback
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
    }


def _polite(job: CrawlJob) -> dict[str, Any]:
    delay = job.source.limits.delay
    return {
        "ROBOTSTXT_OBEY": True,
        "USER_AGENT": job.user_agent,
        "DOWNLOAD_DELAY": delay,
        "DOWNLOAD_DELAY_JITTER": 0.0,  # it would also make the delay shorter
        "CONCURRENT_REQUESTS": 4,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_ITEMS": 1,  # Scrapy starts as many workers at every answer; we have no items
        "AUTOTHROTTLE_ENABLED": delay > 0,
        "AUTOTHROTTLE_START_DELAY": delay,
        "AUTOTHROTTLE_MAX_DELAY": max(60.0, delay),
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": "application/rss+xml, application/atom+xml, application/feed+json,"
            " text/html;q=0.9, application/xml;q=0.9, */*;q=0.5",
            "Accept-Language": "es-PE, es;q=0.9, *;q=0.5",
            "Accept-Encoding": "gzip, deflate",
        },
    }


def _bounded(job: CrawlJob) -> dict[str, Any]:
    limits = job.source.limits
    is_feed = job.source.protocol is Protocol.FEED
    return {
        "DOWNLOAD_TIMEOUT": limits.timeout,
        "DOWNLOAD_MAXSIZE": limits.max_bytes,  # before and after decompression
        "DOWNLOAD_WARNSIZE": 0,
        "REDIRECT_MAX_TIMES": 5,
        "RETRY_TIMES": 2,
        "DEPTH_LIMIT": FEED_DEPTH if is_feed else limits.max_requests,
        "CLOSESPIDER_TIMEOUT": limits.max_seconds,
        "EXTENSIONS": {
            # disabled they would still be imported, which takes longer than reading many a feed
            "scrapy.extensions.telnet.TelnetConsole": None,
            "scrapy.extensions.remote_control.RemoteControl": None,
            "scrapy.extensions.memusage.MemoryUsage": None,
            "crawlers.memory.OwnMemory": 0,
        },
        "MEMUSAGE_LIMIT_MB": 1024,
        "MEMUSAGE_CHECK_INTERVAL_SECONDS": 5.0,
        "DNS_TIMEOUT": limits.timeout,
    }


def _closed(job: CrawlJob) -> dict[str, Any]:
    return {
        PRIVATE_DOORS: private_doors(job.url) if job.source.allow_private else frozenset(),
        "TWISTED_DNS_RESOLVER": "crawlers.resolver.GuardedResolver",
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_HANDLERS": dict.fromkeys(CLOSED) | dict.fromkeys(WEB, _handler(job)),
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,  # a local server that runs whatever Python it is sent
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": False,  # a site's own header could make it tell other hosts
        "HTTPPROXY_ENABLED": False,  # behind a proxy the address guard would be blind
        "METAREFRESH_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
    }


def _handler(job: CrawlJob) -> str | None:
    """Name what sends requests; in a replay nothing does."""
    if job.replay:
        return None
    if job.source.render == "browser":
        return "crawlers.browser.handler.BrowserHandler"
    return "crawlers.keyed.KeyedHandler" if job.source.token else HANDLER


def _browser(job: CrawlJob) -> dict[str, Any]:
    """Set what scrapy-playwright reads: one page at a time, and nothing that outlives it."""
    if job.source.render != "browser" or job.replay:
        return {}
    context = {
        "user_agent": job.user_agent,
        "accept_downloads": False,
        "service_workers": "block",
        "permissions": [],
        "locale": "es-PE",
    }
    return {
        "EXTENSIONS": {
            "scrapy.extensions.memusage.MemoryUsage": None,
            "crawlers.memory.WithBrowser": 0,
        },
        "MEMUSAGE_LIMIT_MB": 2048,
        "PLAYWRIGHT_BROWSER_TYPE": "chromium",
        "MANIFIESTA_BROWSER_CONTEXT": context,
        "PLAYWRIGHT_MAX_CONTEXTS": 1,
        "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": 1,
        "PLAYWRIGHT_DEFAULT_NAVIGATION_TIMEOUT": job.source.limits.timeout * 1_000,
        "PLAYWRIGHT_PROCESS_REQUEST_HEADERS": None,  # Chromium's own, with our user agent
    }


def _components(job: CrawlJob) -> dict[str, Any]:
    """Name our middlewares; the lower a number, the nearer to the spider."""
    archive: dict[str, int] = {"crawlers.middlewares.Archiver": 840}
    if job.replay:
        archive = {"crawlers.replaying.Replayer": 870}
    elif job.fetched:
        archive["crawlers.replaying.Fetched"] = 850
    return {
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.middlewares.AddressGuard": 10,
            "crawlers.politeness.WallGuard": 20,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "crawlers.middlewares.Robots": 100,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "crawlers.politeness.Retry": 550,
            "crawlers.middlewares.RedirectGuard": 610,
            "crawlers.politeness.Conditional": 830,
            **archive,
            "crawlers.middlewares.RequestLimit": 860,
        },
        # newest entries first, as feeds list them, so a limit cuts off the oldest
        "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
    }
