"""Derive a longer window again: only what is missing or stale, side by side, and resumable.

Deploy it as ``flows.rerun.rerun``. Partitions run as Prefect tasks, on this machine or on the
workers of a Dask cluster; what was done is in our own ledger.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State as PrefectState
from prefect.client.schemas.objects import TaskRun
from prefect.futures import PrefectFuture, as_completed
from prefect.tasks import exponential_backoff

from configs.load import load_taxonomy
from configs.model import ModelSpec
from configs.schema import Source, Taxonomy
from configs.settings import Settings
from flows.house import (
    SOFTWARE_VERSION,
    open_municipality,
    open_store,
    pseudonymiser_of,
    window_of,
)
from flows.monitor import outcome, read_task
from flows.progress import progress_bar, reporter
from flows.summary import EXIT_CODES
from models.errors import ConfigError, StoreError
from models.labels import EVERYTHING
from models.records import Stage, State, Window
from pipelines.analyse import Subject, count_window, counted_by, report_run
from pipelines.change import credible
from pipelines.classify import Progress
from pipelines.collect import Collected, known_of
from pipelines.compare import compare_windows
from pipelines.facts import up_to_date
from pipelines.ledger import OpenRun, recorded_run
from pipelines.precision import Narrowing, narrowing
from pipelines.rerun import (
    How,
    Wish,
    Work,
    begin_collection,
    classifier_of,
    classify_again,
    collect_again,
    judged,
    keep_crawl,
    left_of,
    note_counted,
    note_plan,
    plan_classification,
    plan_collection,
    quarantine,
    span_of,
)
from pipelines.store.ledger import Line, earlier_count, lines_of
from pipelines.store.partitions import Key
from pipelines.store.read import find_run, manifestations_per_day
from pipelines.store.write import RunStart, Store

_FROM = {
    How.MISSING: "days that no run has settled, from the sources",
    How.REPLAY: "days that the archive may give otherwise now",
    How.RECRAWL: "all days, from the sources",
}

ATTEMPTS_AT_DATABASE = 4
"""How often a partition tries again whose database went away: after 1, 2, 4 and 8 s or more."""


@dataclass(frozen=True, slots=True)
class Request:
    """How a rerun was asked for; it is kept with the run, so that a resumed one is the same."""

    how: How = How.MISSING
    only: Stage | None = None
    sources: tuple[str, ...] = ()
    model: str | None = None
    taxonomy: str | None = None
    baseline: str | None = None
    base_url: str | None = None

    @property
    def wish(self) -> Wish:
        """What the steps need to know of it."""
        return Wish(self.how, self.only, self.sources)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> "Request":
        """Read what was kept with a run."""
        only = options["only"]
        return cls(
            **{
                **options,
                "how": How(options["how"]),
                "only": only and Stage(only),
                "sources": tuple(options["sources"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed beside an earlier run, and how much narrower the intervals became."""

    baseline: str
    window_from: date
    window_to: date
    overlapping: bool
    compared: int
    changes: Sequence[Mapping[str, Any]]
    precision: Sequence[Narrowing]


@dataclass(frozen=True, slots=True)
class RerunSummary:
    """The outcome of a rerun, with the partitions that are in quarantine."""

    run_id: str
    municipality: str
    window_from: date
    window_to: date
    state: State
    partitions: Mapping[Stage, Mapping[State, int]]
    failed: Sequence[Line]
    model_version: str | None = None
    in_window: int | None = None
    classified: int = 0
    report: Path | None = None
    comparison: Comparison | None = None

    @property
    def exit_code(self) -> int:
        """0 done, 3 done in part, 1 nothing could be done."""
        return EXIT_CODES[self.state]

    def as_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            **asdict(self),
            "partitions": {
                stage: {str(state): n for state, n in states.items()}
                for stage, states in self.partitions.items()
            },
        }


@dataclass(slots=True)
class Rerun:
    """A rerun under way: what its stages share."""

    store: Store
    work: Work
    request: Request
    taxonomy: Taxonomy
    settings: Settings
    classified: int = 0
    bars: Callable[[str], Progress] = field(default=lambda _name: lambda _done, _total: None)

    @property
    def subject(self) -> Subject:
        """What is counted."""
        work = self.work
        return Subject(self.store, work.run_id, work.municipality, work.window, self.taxonomy)


def prepare(
    municipality: str, request: Request, start: date | None, end: date | None
) -> tuple[Rerun, RunStart]:
    """Open what a rerun needs, and refuse what cannot be done.

    Raises:
        ConfigError: a source, a taxonomy or a cluster that is not there.
    """
    settings = Settings.load()
    place = open_municipality(settings, municipality, request.base_url)
    if request.model is not None:
        place = place.model_copy(update={"model": ModelSpec(path=Path(request.model).absolute())})
    for name in request.sources:
        if place.source(name) is None:
            known = ", ".join(source.name for source in place.sources)
            raise ConfigError(f"{place.code} has no source «{name}»: {known}")
    taxonomy = taxonomy_of(request.taxonomy)
    window = window_of(place, start, end)
    if settings.cluster and settings.database.startswith("sqlite"):
        raise ConfigError(
            "MANIFIESTA_CLUSTER is set, but the database is SQLite, which other machines cannot "
            "share. Set MANIFIESTA_DATABASE_URL to PostgreSQL, or unset MANIFIESTA_CLUSTER."
        )
    work = Work("", None, place, window, taxonomy.version, SOFTWARE_VERSION)
    begin = RunStart("rerun", window, taxonomy.version, SOFTWARE_VERSION, asdict(request))
    return Rerun(open_store(settings), work, request, taxonomy, settings), begin


def taxonomy_of(named: str | None) -> Taxonomy:
    """Return the shipped taxonomy if it is the version that is meant, or one from a file.

    Raises:
        ConfigError: there is neither such a version nor such a file.
    """
    shipped = load_taxonomy()
    if named is None or named == shipped.version:
        return shipped
    if Path(named).is_file():
        return load_taxonomy(Path(named))
    raise ConfigError(
        f"There is no taxonomy «{named}»: this installation has {shipped.version}. Name that, or "
        "the path of a file."
    )


@flow(name="rerun", validate_parameters=False, persist_result=False)
def rerun(
    municipality: str,
    start: date | None = None,
    end: date | None = None,
    request: Request | None = None,
    resumed: str | None = None,
    show_progress: bool = False,
) -> RerunSummary:
    """Derive a window again: collect, classify and count what is missing or stale.

    A partition that fails is quarantined and the others go on. Killed or stopped at whatever
    moment, it goes on from there when it is resumed.

    Args:
        municipality: its code.
        start: first local day of the window; the municipality's usual window without it.
        end: the day after the last.
        request: what is to be done, and how.
        resumed: a rerun that ended early; window and request are to be its own.
        show_progress: show progress bars on a terminal.
    """
    asked = request or Request()
    running, begin = prepare(municipality, asked, start, end)
    store, place = running.store, running.work.municipality
    with (
        progress_bar(shown=show_progress) as bars,
        recorded_run(store, place, begin, resumed=resumed) as run,
    ):
        running.work = replace(running.work, run_id=run.id, lease=run.lease)
        running.bars = lambda name: reporter(bars, name)
        if asked.wish.wants(Stage.COLLECT):
            _collect(running)
        if asked.wish.wants(Stage.CLASSIFY):
            _classify(running)
        counted = _count(running) if asked.wish.wants(Stage.COUNT) else None
        lines = lines_of(store.engine, run.id)
        run.state = judged(lines)
    return _summary(running, run, lines, counted)


@dataclass(frozen=True, slots=True)
class _Counted:
    model_version: str
    in_window: int
    report: Path
    comparison: Comparison | None


# --- collect ---------------------------------------------------------------------------------


def _collect(running: Rerun) -> None:
    store, work, archive = running.store, running.work, running.settings.archive
    wish = running.request.wish
    due = plan_collection(store, work, wish, archive, datetime.now(UTC))
    note_plan(store, work, Stage.COLLECT, _keys(due))
    days: dict[str, list[date]] = {}
    for line in left_of(store, work, Stage.COLLECT):
        days.setdefault(line.source, []).append(line.day)
    sources = {source.name: source for source in work.municipality.crawled if source.name in days}
    from_archive = wish.how is How.REPLAY
    start = _replay if from_archive else _crawl
    futures = {start(running, source, days[name]): name for name, source in sources.items()}
    progress = running.bars("Collecting, by source")
    progress(0, len(futures))
    for done, future in enumerate(as_completed(list(futures)), 1):
        source = sources[futures[future]]
        theirs = days[source.name]
        try:
            if from_archive:
                future.result()
            else:
                _keep(running, source, theirs, future)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this source's
            keys = [(source.name, day) for day in theirs]
            quarantine(store, work, Stage.COLLECT, keys, error)
        progress(done, len(futures))


def _replay(running: Rerun, source: Source, days: Sequence[date]) -> PrefectFuture[State]:
    work = running.work
    named = collect_partitions.with_options(task_run_name=f"collect {source.name}")
    return named.submit(work, source, tuple(days))


def _crawl(running: Rerun, source: Source, days: Sequence[date]) -> PrefectFuture[Any]:
    store, work = running.store, running.work
    begin_collection(store, work, source, days)
    window = span_of(work.window, days)
    whole = running.request.how is How.RECRAWL
    known = None if whole else known_of(store, work.municipality, source, window)
    archive = running.settings.archive
    return read_task(source).submit(work.municipality, source, archive, known, window)


def _keep(
    running: Rerun, source: Source, days: Sequence[date], future: PrefectFuture[Any]
) -> Collected:
    masked = pseudonymiser_of(running.settings, running.work.municipality)
    how = running.request.how
    return keep_crawl(running.store, running.work, source, days, masked, outcome(future), how)


# --- classify --------------------------------------------------------------------------------


def _classify(running: Rerun) -> None:
    store, work = running.store, running.work
    version = classifier_of(work.municipality.model).model_version
    due = plan_classification(store, work, running.request.wish, version)
    keys = [(source, day) for day, sources in due.items() for source in sources]
    note_plan(store, work, Stage.CLASSIFY, keys)
    days: dict[date, list[str]] = {}
    for line in left_of(store, work, Stage.CLASSIFY):
        days.setdefault(line.day, []).append(line.source)
    futures = {
        classify_partitions.with_options(task_run_name=f"classify {day}").submit(
            work, day, tuple(sources)
        ): day
        for day, sources in sorted(days.items())
    }
    progress = running.bars("Classifying, by day")
    progress(0, len(futures))
    for done, future in enumerate(as_completed(list(futures)), 1):
        day = futures[future]
        try:
            running.classified += future.result()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this day's
            running.classified += _one_by_one(running, day, days[day], error)
        progress(done, len(futures))


def _one_by_one(running: Rerun, day: date, sources: Iterable[str], error: Exception) -> int:
    """Find the source whose texts of a day cannot be classified: only that is quarantined."""
    store, work, done = running.store, running.work, 0
    quarantine(store, work, Stage.CLASSIFY, [(source, day) for source in sources], error)
    for source in sources:
        try:
            done += classify_again(store, work, day, [source])
        except Exception as again:  # noqa: BLE001 - whatever it is, it is this partition's
            quarantine(store, work, Stage.CLASSIFY, [(source, day)], again)
    return done


# --- count -----------------------------------------------------------------------------------


def _count(running: Rerun) -> _Counted:
    store, work, subject = running.store, running.work, running.subject
    progress = running.bars("Counting")
    progress(0, 2)
    classifier = classifier_of(work.municipality.model)
    store.set_model(work.run_id, classifier.model_version)
    analysis = count_window(subject, classifier, running.classified)
    recipe = counted_by(subject, analysis.model_version).recipe
    note_counted(store, work, up_to_date(store, recipe, work.window))
    progress(1, 2)
    comparison = _compare(running, analysis.model_version)
    path = report_run(subject, running.settings.reports)
    progress(2, 2)
    return _Counted(analysis.model_version, analysis.in_window, path, comparison)


def _compare(running: Rerun, model_version: str) -> Comparison | None:
    store, work = running.store, running.work
    place, window = work.municipality, work.window
    baseline = running.request.baseline or earlier_count(
        store.engine, place.code, window, work.run_id
    )
    if baseline is None:
        return None
    other = find_run(store.engine, baseline)
    before = Window(other.window_from, other.window_to, place.zone)
    counted = counted_by(running.subject, model_version)
    rows = compare_windows(store, counted, before, baseline)
    everything = [row for row in rows if row["lens"] == EVERYTHING]
    return Comparison(
        baseline,
        before.start,
        before.end,
        overlapping=before.start < window.end and window.start < before.end,
        compared=len(everything),
        changes=credible(everything),
        precision=narrowing(store.engine, baseline, work.run_id),
    )


# --- tasks, on this machine or on a worker ---------------------------------------------------


def _database_went_away(_task: Any, _run: TaskRun, state: PrefectState[Any]) -> bool:
    return isinstance(state.result(raise_on_failure=False), StoreError)


_on_a_worker = task(
    cache_policy=NO_CACHE,
    persist_result=False,
    retries=ATTEMPTS_AT_DATABASE,
    retry_delay_seconds=exponential_backoff(1),
    retry_jitter_factor=0.5,
    retry_condition_fn=_database_went_away,
)


@_on_a_worker
def collect_partitions(work: Work, source: Source, days: tuple[date, ...]) -> State:
    """Derive days of a source again from the archive."""
    settings = Settings.load()
    masked = pseudonymiser_of(settings, work.municipality)
    store = Store(_store_of(settings.database).engine, work.lease)
    return collect_again(store, work, source, days, settings.archive, masked).state


@_on_a_worker
def classify_partitions(work: Work, day: date, sources: tuple[str, ...]) -> int:
    """Classify what the sources' day holds unclassified."""
    store = Store(_store_of(Settings.load().database).engine, work.lease)
    return classify_again(store, work, day, sources)


@cache
def _store_of(_address: str) -> Store:
    return open_store(Settings.load())


# --- what would be done, and what was done ---------------------------------------------------


def planned(
    municipality: str, request: Request, start: date | None, end: date | None
) -> dict[str, Any]:
    """Return what a rerun would do as things are, by stage; nothing is done."""
    running, _ = prepare(municipality, request, start, end)
    store, work, wish = running.store, running.work, request.wish
    stages: list[dict[str, Any]] = []
    if wish.wants(Stage.COLLECT):
        now, archive = datetime.now(UTC), running.settings.archive
        due = plan_collection(store, work, wish, archive, now)
        count = sum(map(len, due.values()))
        what = f"{len(due)} sources, {_FROM[wish.how]}"
        stages.append({"stage": Stage.COLLECT, "partitions": count, "what": what})
    if wish.wants(Stage.CLASSIFY):
        version = classifier_of(work.municipality.model).model_version
        days = plan_classification(store, work, wish, version)
        count = sum(map(len, days.values()))
        labels = f"{version} has not classified by taxonomy {work.taxonomy_version}"
        what = f"with texts that {labels}, and those that come in"
        stages.append({"stage": Stage.CLASSIFY, "partitions": count, "what": what})
    if wish.wants(Stage.COUNT):
        count = len(manifestations_per_day(store.engine, work.municipality.code, work.window))
        what = "counted again where they changed, reported and compared"
        stages.append({"stage": Stage.COUNT, "partitions": count, "what": what})
    window = work.window
    return {"window_from": window.start, "window_to": window.end, "stages": stages}


def _keys(due: Mapping[str, Iterable[date]]) -> list[Key]:
    return [(source, day) for source, days in due.items() for day in days]


def _summary(
    running: Rerun, run: OpenRun, lines: Sequence[Line], counted: _Counted | None
) -> RerunSummary:
    partitions: dict[Stage, dict[State, int]] = {}
    for line in lines:
        states = partitions.setdefault(line.stage, {})
        states[line.state] = states.get(line.state, 0) + 1
    window = running.work.window
    return RerunSummary(
        run.id,
        running.work.municipality.code,
        window.start,
        window.end,
        run.state,
        partitions,
        [line for line in lines if line.state is not State.DONE],
        counted.model_version if counted else None,
        counted.in_window if counted else None,
        running.classified,
        counted.report if counted else None,
        counted.comparison if counted else None,
    )
