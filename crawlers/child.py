"""What a crawl's own process does, a fork of `crawlers.fork_server`. Only here does Scrapy run."""

import logging
import os
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from crawlers.job import CrawlJob
from crawlers.protocols.secret import TOKEN
from crawlers.recorder import Recorder
from crawlers.settings import SHOWN, settings_for
from models.records import Protocol

MEMORY = 2 << 30
"""Bytes of data that the process may have: one document may need them between two looks at it."""

QUIET = ("trafilatura", "htmldate", "charset_normalizer", "feedparser", "readability", "justext")
"""Loggers of libraries that may quote what they read."""


def main(file: Path, token: str) -> int:
    """Run the crawl that a job file describes; standard input closes when its owner dies."""
    job = CrawlJob.model_validate_json(file.read_bytes())
    if token:
        os.environ[TOKEN] = token
    os.umask(0o077)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = MEMORY if most == resource.RLIM_INFINITY else min(MEMORY, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    recorder = Recorder(job)
    recorder.finish(_run(job, recorder))
    return 0


def _run(job: CrawlJob, recorder: Recorder) -> dict[str, object]:
    """Crawl, and return the settings that really ran."""
    from scrapy.crawler import CrawlerProcess

    from crawlers.shared_settings import with_defaults
    from crawlers.spiders.feed import FeedSpider
    from crawlers.spiders.interface import InterfaceSpider
    from crawlers.spiders.look import LookSpider
    from crawlers.spiders.pages import PagesSpider

    own = {Protocol.FEED: FeedSpider, Protocol.PAGES: PagesSpider}
    spider = LookSpider if job.look else own.get(job.source.protocol, InterfaceSpider)
    process = CrawlerProcess(with_defaults(settings_for(job)))
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # its tracebacks say nothing that the reason of the crawl does not say
    logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)
    # it warns at every start that no Referer is sent, which is what we want
    logging.getLogger("scrapy.downloadermiddlewares.redirect").setLevel(logging.ERROR)
    crawler = process.create_crawler(spider)
    # its warnings are tracebacks of what the reason of the crawl says in a sentence
    logging.getLogger("scrapy-playwright").setLevel(logging.CRITICAL)
    # it would write an address with its token, and what it says ends up in the reason anyway
    logging.getLogger("scrapy.core.downloader.handlers.http11").setLevel(logging.ERROR)
    process.crawl(crawler, recorder=recorder)
    process.start()
    return _shown(crawler)


def _shown(crawler: Any) -> dict[str, object]:
    shown: dict[str, object] = {name: crawler.settings[name] for name in SHOWN}
    shown["DOWNLOAD_HANDLERS"] = {
        scheme: place
        for scheme, place in crawler.settings.getwithbase("DOWNLOAD_HANDLERS").items()
        if place is not None
    }
    shown["RLIMIT_DATA"] = resource.getrlimit(resource.RLIMIT_DATA)[0]
    shown["DELAYS"] = {key: slot.delay for key, slot in crawler.engine.downloader.slots.items()}
    shown["EXTENSIONS"] = [type(x).__name__ for x in crawler.extensions.middlewares]
    shown["MIDDLEWARES"] = [
        type(x).__name__ for x in crawler.engine.downloader.middleware.middlewares
    ]
    return shown


def _end_with_parent() -> None:
    """Stop the crawl when the pipe from the parent closes, because nobody reads it any more."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
