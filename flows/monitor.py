"""One monitoring run: read every source, classify, count, report.

Deploy it as ``flows.monitor.monitor``. The ledger of a run is our own store; Prefect gives the
retries, the concurrency and the view of what is under way.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State as PrefectState
from prefect.client.schemas.objects import TaskRun
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import Task, exponential_backoff

from configs.load import load_taxonomy
from configs.schema import Municipality, Source, absolute_url
from configs.settings import Settings
from crawlers.job import CrawlResult
from crawlers.known import Known
from crawlers.turns import apart
from flows.artifacts import leave_artifacts
from flows.house import (
    SOFTWARE_VERSION,
    open_municipality,
    open_store,
    pseudonymiser_of,
    window_of,
)
from flows.progress import progress_bar, reporter
from flows.summary import RunSummary, overall_state
from flows.telling import tell_run, telling_failure
from models.records import Window
from pipelines.analyse import Analysis, Subject, classify_and_count, report_run
from pipelines.classify import Progress
from pipelines.collect import (
    Collected,
    SourceUnreadError,
    known_of,
    leave_alone,
    read_source,
    store_crawl,
)
from pipelines.coverage import coverage
from pipelines.health import is_due
from pipelines.ledger import recorded_run
from pipelines.privacy import Pseudonymiser
from pipelines.replay import replay_source, store_replay
from pipelines.retention import forget_old_captures
from pipelines.store.crawled import source_health
from pipelines.store.write import RunStart, Store

CRAWLS_AT_ONCE = 4

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What all sources of one run share."""

    store: Store
    run_id: str
    municipality: Municipality
    window: Window
    pseudonymiser: Pseudonymiser
    archive: Path


@flow(
    name="monitor",
    task_runner=ThreadPoolTaskRunner(max_workers=CRAWLS_AT_ONCE),  # type: ignore[arg-type]
    validate_parameters=False,
    persist_result=False,
)
def monitor(
    municipality: str,
    start: date | None = None,
    end: date | None = None,
    base_url: str | None = None,
    show_progress: bool = False,
    replay: bool = False,
) -> RunSummary:
    """Run the whole chain once for a municipality and leave a report.

    A source that cannot be read is noted in the ledger, and the others go on; one that failed
    too often is left alone for a while.

    Args:
        municipality: its code.
        start: first local day of the window; the municipality's usual window without it.
        end: the day after the last.
        base_url: read relative source addresses from this server.
        show_progress: show progress bars on a terminal.
        replay: derive everything again from the archive, and ask no source.
    """
    settings = Settings.load()
    place = open_municipality(settings, municipality, base_url)
    window = window_of(place, start, end)
    taxonomy = load_taxonomy()
    store = open_store(settings)
    command, options = "replay" if replay else "run", {"base_url": base_url}
    begin = RunStart(command, window, taxonomy.version, SOFTWARE_VERSION, options)
    with (
        telling_failure(store, place),
        progress_bar(shown=show_progress) as bars,
        recorded_run(store, place, begin) as run,
    ):
        secrets = pseudonymiser_of(settings, place)
        shared = Round(store, run.id, place, window, secrets, settings.archive)
        gather = _replay if replay else _collect
        collected = gather(shared, reporter(bars, "Reading sources"))
        run.state = overall_state(collected)
        subject = Subject(store, run.id, place, window, taxonomy)
        analysis = analyse(subject, reporter(bars, "Classifying"))
    path = report(subject, settings.reports)
    covered = coverage(store.engine, place, window, run.id)
    summary = RunSummary(
        run_id=run.id,
        municipality=place.code,
        window_from=window.start,
        window_to=window.end,
        state=run.state,
        model_version=analysis.model_version,
        sources=tuple(collected),
        sources_read=covered.sources_read,
        sources_configured=len(covered.sources),
        in_window=analysis.in_window,
        classified=analysis.classified,
        findings=analysis.findings,
        report=path,
    )
    for problem in tell_run(store, place, summary, run.zombies):
        _LOG.warning("%s", problem)
    leave_artifacts(summary)
    return summary


def _collect(shared: Round, progress: Progress) -> list[Collected]:
    """Read the sources that are due side by side; store each as it comes in, one at a time."""
    sources = shared.municipality.crawled
    collected = _rest(shared, sources)
    reading: dict[PrefectFuture[CrawlResult], Source] = {}
    urls = [absolute_url(shared.municipality, source) for source in sources]
    for source in apart(sources, urls):
        if source.name not in collected:
            known = known_of(shared.store, shared.municipality, source, shared.window)
            asked = (shared.municipality, source, shared.archive, known, shared.window)
            reading[read_task(source).submit(*asked)] = source
    progress(0, len(reading))
    for done, future in enumerate(as_completed(list(reading)), 1):
        source = reading[future]
        collected[source.name] = keep(shared, source, outcome(future))
        progress(done, len(reading))
    today = shared.window.day_of(datetime.now(UTC))
    forget_old_captures(shared.store, shared.archive, shared.municipality, today)
    return [collected[source.name] for source in sources]


def _rest(shared: Round, sources: Sequence[Source]) -> dict[str, Collected]:
    """Note the sources that are not due."""
    health = source_health(shared.store.engine, shared.municipality.code)
    now = datetime.now(UTC)
    return {
        source.name: leave_alone(
            shared.store,
            shared.run_id,
            shared.municipality,
            source,
            shared.window,
            health[source.name],
        )
        for source in sources
        if not is_due(health.get(source.name), now)
    }


def _replay(shared: Round, progress: Progress) -> list[Collected]:
    """Derive the sources' records again from the archive."""
    sources = shared.municipality.crawled
    reading = {again.submit(shared, source): source.name for source in sources}
    collected: dict[str, Collected] = {}
    progress(0, len(reading))
    for future in as_completed(list(reading)):
        collected[reading[future]] = future.result()
        progress(len(collected), len(reading))
    return [collected[source.name] for source in sources]


def outcome(future: PrefectFuture[CrawlResult]) -> CrawlResult:
    """Return what a reading brought, also one that brought nothing in the end."""
    try:
        return future.result()
    except SourceUnreadError as error:
        return error.result


def read_task(source: Source) -> Task[..., CrawlResult]:
    """Return the task that reads a source, with its name and its own patience."""
    return read.with_options(
        task_run_name=f"read {source.name}",
        retries=source.limits.retries,
        retry_delay_seconds=exponential_backoff(source.limits.retry_delay),
        retry_jitter_factor=0.5,
    )


def _worth_another_try(_task: Any, _run: TaskRun, state: PrefectState[Any]) -> bool:
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, SourceUnreadError) and not failure.lasting


@task(cache_policy=NO_CACHE, retry_condition_fn=_worth_another_try)
def read(
    municipality: Municipality,
    source: Source,
    archive: Path,
    known: Known | None = None,
    window: Window | None = None,
) -> CrawlResult:
    """Crawl one source: the one step that meets the network, and is tried again."""
    return read_source(municipality, source, archive, SOFTWARE_VERSION, known, window)


@task(cache_policy=NO_CACHE)
def again(shared: Round, source: Source) -> Collected:
    """Derive one source's records again from the archive, and store them."""
    replayed = replay_source(
        shared.municipality, source, shared.archive, shared.window, SOFTWARE_VERSION
    )
    return store_replay(
        shared.store,
        shared.run_id,
        shared.municipality,
        source,
        shared.window,
        shared.pseudonymiser,
        replayed,
    )


@task(cache_policy=NO_CACHE)
def keep(shared: Round, source: Source, result: CrawlResult) -> Collected:
    """Mask and store what a crawl gave."""
    return store_crawl(
        shared.store,
        shared.run_id,
        shared.municipality,
        source,
        shared.window,
        shared.pseudonymiser,
        result,
    )


@task(cache_policy=NO_CACHE)
def analyse(subject: Subject, progress: Progress) -> Analysis:
    """Classify what is new and count the window."""
    return classify_and_count(subject, progress)


@task(cache_policy=NO_CACHE)
def report(subject: Subject, folder: Path) -> Path:
    """Write the report of the run."""
    return report_run(subject, folder)
