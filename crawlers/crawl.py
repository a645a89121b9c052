"""Run one crawl of one source in a child process that may die without taking anything along."""

import logging
import signal
from contextlib import nullcontext
from pathlib import Path

from pydantic import ValidationError

from crawlers.browser.need import what_is_missing
from crawlers.fork_server import FAULT, TOO_MUCH_MEMORY
from crawlers.forked import FORKS, ServerLostError
from crawlers.job import CrawlJob, CrawlResult
from crawlers.kept import read_records
from crawlers.protocols.secret import token_of
from crawlers.turns import TURNS
from crawlers.wire import (
    CAPTURES,
    EXTRACTED,
    LISTINGS,
    REJECTIONS,
    SUMMARY,
    VALIDATORS,
    VANISHED,
    Summary,
    read_lines,
)
from models.reasons import Reason
from models.records import Capture, Failure, Listing, Rejection, Validator, Vanished

GRACE = 30.0
"""Seconds that a child may take, beyond its own limits, to end by itself."""

JOB = "job.json"
LOG = "crawl.log"
LAST_LINES = 5

_LOGGER = logging.getLogger(__name__)


def crawl(job: CrawlJob) -> CrawlResult:
    """Read a source in a child process and return what there is, however that process ended."""
    limits = job.source.limits
    deadline = limits.max_seconds + limits.timeout + GRACE
    missing = what_is_missing() if job.source.render == "browser" and not job.replay else None
    if missing:
        return CrawlResult([], [], [], finished=False, reason=missing, failure=Failure.HARD)
    try:
        token = "" if job.replay else token_of(job.source)
        prepare(job)
        code = _run(job, deadline, token)
    except LookupError as error:
        reason = str(error)
        return CrawlResult([], [], [], finished=False, reason=reason, failure=Failure.HARD)
    except OSError as error:
        reason = Reason.NOT_STARTED.said(detail=f"{job.out}: {error.strerror or error}")
        return CrawlResult([], [], [], finished=False, reason=reason, failure=Failure.SOFT)
    except ServerLostError as error:
        return read_result(job, killed=str(error), failure=Failure.OWN)
    if code is None:
        return read_result(job, killed=Reason.NOT_ENDED.said(number=f"{deadline:,.0f}"))
    return read_result(job, code=code, failure=Failure.OWN if code == FAULT else None)


def _run(job: CrawlJob, deadline: float, token: str) -> int | None:
    """Run the crawl in its process and return its exit code; nothing if it had to be killed.

    It waits for its turn at the source's host, unless that is a server of one's own.
    """
    needs_no_turn = job.replay is not None or job.source.allow_private
    with (
        nullcontext() if needs_no_turn else TURNS.of(job.url),
        (job.out / LOG).open("wb") as log,
        FORKS.start(job.out / JOB, log, token) as child,
    ):
        return child.wait(deadline)


def read_result(
    job: CrawlJob, *, killed: str = "", code: int = 0, failure: Failure | None = None
) -> CrawlResult:
    """Read the files that a crawl left; one that left no summary did not finish."""
    summary = _summary(job.out / SUMMARY)
    unsettled = None if summary is None or killed else frozenset(summary.unsettled)
    old_before = summary.old_before if summary else None
    extracted = read_records(job.out / EXTRACTED, unsettled, old_before)
    if summary is None or killed:
        failure = failure or (Failure.SOFT if extracted else Failure.TEMPORARY)
        reason = killed or _crash(job, code)
        summary = Summary(finished=False, reason=reason, failure=failure)
    return CrawlResult(
        extracted=extracted,
        captures=read_lines(job.out / CAPTURES, Capture),
        rejections=read_lines(job.out / REJECTIONS, Rejection),
        finished=summary.finished,
        reason=summary.reason,
        failure=summary.failure,
        unchanged=summary.unchanged,
        not_modified=summary.not_modified,
        validators=tuple(read_lines(job.out / VALIDATORS, Validator)),
        vanished=tuple(read_lines(job.out / VANISHED, Vanished)),
        listings=tuple(read_lines(job.out / LISTINGS, Listing)),
        bounded=summary.bounded,
        fields=tuple(summary.fields),
        looked=tuple(summary.looked),
    )


def prepare(job: CrawlJob) -> None:
    """Make the folder, without what an earlier crawl left in it, and write the job."""
    job.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in (EXTRACTED, CAPTURES, REJECTIONS, VALIDATORS, VANISHED, LISTINGS, SUMMARY):
        (job.out / name).unlink(missing_ok=True)
    (job.out / JOB).write_text(job.model_dump_json(exclude_unset=True), encoding="utf-8")


def _summary(path: Path) -> Summary | None:
    try:
        return Summary.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _crash(job: CrawlJob, code: int) -> str:
    try:
        written = (job.out / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        written = ""
    tail = " / ".join(line.strip() for line in written.splitlines()[-LAST_LINES:] if line.strip())
    said = f": {tail[-800:]}" if tail else ""
    if code == FAULT:
        _LOGGER.error("a fault of Manifiesta's own while it read %s\n%s", job.url, written)
        return Reason.OWN_FAULT.said(detail=f"{job.url}, please report it{said}")
    if code == TOO_MUCH_MEMORY:
        return Reason.MEMORY_OF.said(url=job.url)
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return Reason.BROKEN.said(url=job.url, detail=f"{how}){said}")
