"""Which texts people should read, and how far readers and model agree.

A slice is drawn by chance: the ids of manifestations are SHA-256 hashes of their identities, so
those under a bound are a fair sample of any window, and always the same. Only its readings tell
how often the model is right; the other queues hold the hard ones on purpose.

Cohen, J. (1960), «A coefficient of agreement for nominal scales», Educational and Psychological
Measurement 20; Krippendorff, K. (2004), «Content Analysis», ch. 11.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import numpy as np
from sqlalchemy import Select

from models.errors import ConflictError, InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Window
from pipelines.corrections import correct
from pipelines.people import check_person
from pipelines.proportions import wilson
from pipelines.store.reviews import (
    TASKS,
    Doubtful,
    Queues,
    Reading,
    find_text,
    readings,
    save_reading,
)
from pipelines.store.write import Store

SLICE: Final = 0.05
"""The share of texts that are drawn by chance."""

CLOSE: Final = 0.6
"""A category less sure than this, though over the model's threshold, is a close call."""

RESAMPLES: Final = 1_000
SEED: Final = 311
FEWEST: Final = 20
"""With fewer texts no coefficient is given: its interval would say nothing."""

_BELOW = f"{int(SLICE * 16**8):08x}"
_KNOWN = {"category": CATEGORIES, "sentiment": SENTIMENTS, "intent": INTENTS}


class Queue(StrEnum):
    """Why a text is to be read."""

    RANDOM = "random"
    SECOND = "second"
    """Drawn by chance and read by one other person, whose labels are not shown."""
    UNSURE = "unsure"
    CLOSE = "close"
    DISPUTED = "disputed"


class Desk:
    """What one reader has to read in one window."""

    def __init__(
        self,
        store: Store,
        municipality: str,
        window: Window,
        versions: tuple[str, str],
        reader: str,
    ) -> None:
        self._store = store
        self._municipality = municipality
        self._versions = versions
        self._reader = check_person(reader)
        self._queues = Queues(store.engine, municipality, window, versions, reader, _BELOW)

    def counts(self) -> dict[Queue, int]:
        """Count what each queue holds for this reader."""
        return {queue: self._queues.count(self._query(queue)) for queue in Queue}

    def next(self, queue: Queue, skip: int = 0) -> Doubtful | None:
        """Return the next text of a queue, after some that are skipped."""
        found = self._queues.take(self._query(queue), 1, skip)
        return found[0] if found else None

    def chosen(self, id_: str) -> Doubtful | None:
        """Return the text that a person came upon; None where it is not to be labelled."""
        return find_text(self._store.engine, self._municipality, id_, None, self._versions)

    def put_right(self, id_: str, text_hash: str, labels: Mapping[str, str]) -> None:
        """Correct a text that a person came upon, which tells nothing of how often models err.

        It is no reading of a queue: who looks for errors would spoil the sample drawn by chance.

        Raises:
            InputError: a label is missing or unknown.
            ConflictError: the text was edited or purged since it was shown.
        """
        _, given = self._as_shown(id_, text_hash, labels)
        correct(self._store, id_, given, self._reader)

    def read(self, queue: Queue, id_: str, text_hash: str, labels: Mapping[str, str]) -> None:
        """Keep the reader's labels of a text; they are counted with the next aggregation.

        Raises:
            InputError: a label is missing or unknown.
            ConflictError: the text was edited or purged since it was shown.
        """
        text, given = self._as_shown(id_, text_hash, labels)
        save_reading(
            self._store.engine,
            Reading(
                municipality=self._municipality,
                manifestation_id=id_,
                text_hash=text_hash,
                queue=queue,
                reader=self._reader,
                read_at=datetime.now(UTC),
                **given,
                model_version=text.model_version,
                **{f"model_{task}": getattr(text, task) for task in TASKS},
            ),
        )
        correct(self._store, id_, given, self._reader)

    def _as_shown(
        self, id_: str, text_hash: str, labels: Mapping[str, str]
    ) -> tuple[Doubtful, dict[str, str]]:
        for task, known in _KNOWN.items():
            if labels.get(task) not in known:
                raise InputError(f"Choose a {task}: {', '.join(known)}.")
        text = find_text(self._store.engine, self._municipality, id_, text_hash, self._versions)
        if text is None:
            raise ConflictError("The text has changed since it was shown: read it again.")
        return text, {task: labels[task] for task in TASKS}

    def _query(self, queue: Queue) -> Select[*tuple[Any, ...]]:
        found = {
            Queue.RANDOM: self._queues.random,
            Queue.SECOND: self._queues.second,
            Queue.UNSURE: self._queues.unsure,
            Queue.CLOSE: lambda: self._queues.close_calls(CLOSE),
            Queue.DISPUTED: self._queues.disputed,
        }
        return found[queue]()


# --- agreement -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two agree on the labels of a task: share of equal labels, and beyond chance.

    ``coefficient`` is None where there are fewer than `FEWEST` texts, or nothing to disagree on.
    """

    task: str
    n: int
    equal: int
    share: float | None
    share_low: float | None
    share_high: float | None
    coefficient: float | None = None
    low: float | None = None
    high: float | None = None


def agreement_with_model(store: Store, municipality: str) -> list[Agreement]:
    """Compare the first reading of each text drawn by chance with the model: Cohen's kappa."""
    first: dict[tuple[str, str], Reading] = {}
    for one in readings(store.engine, municipality, (Queue.RANDOM, Queue.SECOND)):
        first.setdefault((one.manifestation_id, one.model_version), one)
    newest = max((one.read_at, one.model_version) for one in first.values())[1] if first else ""
    mine = [one for one in first.values() if one.model_version == newest]
    return [
        _agreement(
            task, [(getattr(one, task), getattr(one, f"model_{task}")) for one in mine], _kappa
        )
        for task in TASKS
    ]


def agreement_of_readers(store: Store, municipality: str) -> list[Agreement]:
    """Compare the first two readers of each text drawn by chance: Krippendorff's alpha."""
    by_text: dict[str, dict[str, Reading]] = defaultdict(dict)
    for one in readings(store.engine, municipality, (Queue.RANDOM, Queue.SECOND)):
        by_text[one.manifestation_id].setdefault(one.reader, one)
    pairs = [list(found.values())[:2] for found in by_text.values() if len(found) > 1]
    return [
        _agreement(task, [(getattr(a, task), getattr(b, task)) for a, b in pairs], _alpha)
        for task in TASKS
    ]


def _agreement(task: str, pairs: Sequence[tuple[str, str]], coefficient: Any) -> Agreement:
    equal = sum(one == two for one, two in pairs)
    share, low, high = wilson(equal, len(pairs))
    plain = Agreement(task, len(pairs), equal, share, low, high)
    if len(pairs) < FEWEST or len({label for pair in pairs for label in pair}) < 2:
        return plain
    known = _KNOWN[task]
    codes = np.array([[known.index(one), known.index(two)] for one, two in pairs])
    return Agreement(task, len(pairs), equal, share, low, high, *coefficient(codes, len(known)))


def _kappa(codes: np.ndarray[Any, Any], labels: int) -> tuple[float, float, float]:
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((labels, labels))
    np.add.at(table, (codes[:, 0], codes[:, 1]), 1)
    used = (table.sum(axis=0) + table.sum(axis=1)) > 0
    found = cohens_kappa(table[np.ix_(used, used)])
    return float(found.kappa), max(-1.0, float(found.kappa_low)), min(1.0, float(found.kappa_upp))


def _alpha(codes: np.ndarray[Any, Any], labels: int) -> tuple[float, float, float]:
    """Return alpha with a percentile bootstrap over texts; one without disagreement counts 1."""
    import krippendorff

    def alpha(sample: np.ndarray[Any, Any]) -> float:
        if len(np.unique(sample)) < 2:
            return 1.0
        domain = list(range(labels))
        return float(
            krippendorff.alpha(sample.T, level_of_measurement="nominal", value_domain=domain)
        )

    chance = np.random.default_rng(SEED)
    drawn = [alpha(codes[chance.integers(0, len(codes), len(codes))]) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return alpha(codes), float(low), float(high)
