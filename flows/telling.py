"""What a run has to tell people, and to whom."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from configs.schema import Municipality
from flows.summary import RunSummary
from models.errors import BusyError, ManifiestaError
from models.records import State
from pipelines.notify import Message, failure, findings_of, tell
from pipelines.report.texts import texts
from pipelines.report.why import told
from pipelines.store.write import Store

NO_RUN = ""


def tell_run(
    store: Store, place: Municipality, summary: RunSummary, zombies: Sequence[str]
) -> list[str]:
    """Tell the municipality's channels what a run found and what it could not read.

    Returns what went wrong with telling it, in sentences.
    """
    if not place.notify:
        return []
    messages = [*findings_of(store, summary.run_id), *_failures(summary, zombies)]
    return tell(store, place, summary.run_id, messages, f"Informe: {summary.report}")


def _failures(summary: RunSummary, zombies: Sequence[str]) -> Iterator[Message]:
    for run in zombies:
        yield failure(f"corrida {run}", "se cortó sin aviso; la siguiente la cerró")
    for source in summary.sources:
        if source.state is State.FAILED:
            yield failure(f"fuente {source.source}", _why(source.reason))


def _why(reason: str | None) -> str:
    """Return why a source failed, and the technical sentence."""
    return f"{told(reason, texts('es'))} ({reason})" if reason else "no se pudo leer"


@contextmanager
def telling_failure(store: Store, place: Municipality) -> Iterator[None]:
    """Tell the channels of an error that ends a run, and let it go on.

    A run that was refused because another is under way has not failed.
    """
    try:
        yield
    except BusyError:
        raise
    except Exception as error:  # whatever ends a run is told, and goes on
        why = str(error) if isinstance(error, ManifiestaError) else type(error).__name__
        try:
            todo = f"Siga con: manifiesta status; manifiesta resume -m {place.code}"
            for problem in tell(store, place, NO_RUN, [failure("corrida", why)], todo):
                error.add_note(problem)
        except ManifiestaError as untold:  # what ended the run matters more
            error.add_note(str(untold))
        raise
