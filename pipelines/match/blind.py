"""Blind selection: applications under codes, sealed scores, and who is chosen.

Scores are committed to before any is shown (commit-reveal): the hash of the scores and of a random
salt is stored first, what was hashed later. The salts of all assessors together also draw the lot
that breaks a tie which no criterion breaks: nobody can foresee it, and everybody can check it.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine

from configs.check import read_as
from models.errors import InputError, RefusedError
from models.match_records import ApplicationFile
from pipelines.match.attachments import read_attachment
from pipelines.match.noted import Note
from pipelines.match.redact import Names, names_of, redact
from pipelines.store import selection
from pipelines.store.audit import actor, events
from pipelines.store.calls import all_calls, assessments_of, call_of, shown_applications
from pipelines.store.records import stored

CRITERIA: Final = ("novelty", "need", "experience")
"""What is scored. The fourth, that the entity does not know the applicant, is attested."""

_TIES: Final = ("need", "experience", "novelty")
_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

Scores = Mapping[str, Mapping[str, int]]
"""By application and criterion."""


class Sealed(BaseModel):
    """What an assessor keeps after sealing, to open it later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: str
    official: str
    scores: dict[str, dict[str, int]]
    salt: str

    @property
    def commitment(self) -> str:
        """SHA-256 of the call, the assessor and the scores as canonical JSON, and the salt."""
        content = {"call": self.call, "official": self.official, "scores": self.scores}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return sha256(f"{text}\n{self.salt}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Ranked:
    """One application in the ranking: means over the assessors."""

    application: str
    place: int
    novelty: float
    need: float
    experience: float
    total: float
    chosen: bool
    lot: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A selection as it is closed."""

    ranking: Sequence[Ranked]
    notes: Sequence[Note]

    @property
    def chosen(self) -> list[str]:
        """The codes of whoever is chosen."""
        return [one.application for one in self.ranking if one.chosen]


@dataclass(frozen=True, slots=True)
class Taken:
    """An application that was taken in: its code, and what was removed from its texts."""

    code: str
    removed: Mapping[str, int]


# --- applications ----------------------------------------------------------------------------


def apply(engine: Engine, call: str, file: Path, attachments: Sequence[Path]) -> Taken:
    """Take an application in: redact it, give it a random code, store it.

    Raises:
        InputError: the file or an attachment is refused; nothing is stored.
        RefusedError: the call takes no applications now, or the applicant has applied.
    """
    wanted, problems = read_as(file, ApplicationFile, ())
    if wanted is None:
        raise InputError("\n".join(str(problem) for problem in problems))
    names = _names(engine, wanted)
    fields = {name: getattr(wanted, name) for name in ("title", "text", "experience")}
    cleaned = {name: redact(text, names) for name, text in fields.items()}
    read = [read_attachment(path) for path in attachments]
    shown = [redact(one.text, names) for one in read]
    removed: dict[str, int] = {}
    for one in (*cleaned.values(), *shown):
        for label, count in one.removed.items():
            removed[label] = removed.get(label, 0) + count
    handed = selection.Handed(
        code=_code(),
        applicant=wanted.applicant,
        original=fields,
        shown={name: one.text for name, one in cleaned.items()},
        removed=removed,
        attachments=[
            (one.media, one.sha256, clean.text) for one, clean in zip(read, shown, strict=True)
        ],
    )
    selection.hand_in(engine, call, handed, datetime.now(UTC).date(), actor())
    return Taken(handed.code, removed)


def _code() -> str:
    return "P-" + "".join(secrets.choice(_ALPHABET) for _ in range(5))


def _names(engine: Engine, wanted: ApplicationFile) -> Names:
    own: list[str] = [*wanted.names, wanted.applicant]
    others: list[str] = []
    for startup in stored(engine, "startup"):
        names = names_of(startup["name"], startup["aliases"], startup["website"])
        (own if startup["code"] == wanted.applicant else others).extend(names)
    for entity in stored(engine, "entity"):
        if entity["code"] == wanted.applicant:
            own.append(entity["name"])
    for solution in stored(engine, "solution"):
        if solution["startup"] == wanted.applicant:  # whole titles: their words are everybody's
            others.append(solution["title"])
    return Names(tuple(own), tuple(others), wanted.people)


# --- scores ----------------------------------------------------------------------------------


def seal(engine: Engine, call: str, official: str, scores: Scores) -> Sealed:
    """Commit to scores: store their hash, and return what the assessor must keep.

    Raises:
        InputError: a score outside the scale, an unknown code, or an application without scores.
        RefusedError: the assessor has not declared, or has sealed already.
    """
    row = call_of(engine, call)
    codes = [one["code"] for one in shown_applications(engine, call)]
    check_scores(scores, codes, row["scale_min"], row["scale_max"])
    plain = {code: dict(values) for code, values in scores.items()}
    sealed = Sealed(call=call, official=official, scores=plain, salt=secrets.token_hex(32))
    selection.seal(engine, call, official, sealed.commitment, actor())
    return sealed


def unseal(engine: Engine, sealed: Sealed) -> None:
    """Show sealed scores, once all are sealed.

    Raises:
        InputError: a score lies outside the scale.
        RefusedError: somebody has not sealed yet, or these are other scores.
    """
    row = call_of(engine, sealed.call)
    check_scores(sealed.scores, list(sealed.scores), row["scale_min"], row["scale_max"])
    opened = selection.Opened(sealed.official, sealed.salt, sealed.scores)
    selection.unseal(engine, sealed.call, opened, sealed.commitment, actor())


def read_scores(path: Path) -> Scores:
    """Read ``{"P-7F3KQ": {"novelty": 4, "need": 5, "experience": 3}}``."""
    value = _json(path)
    if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
        raise InputError(f'{path}: write {{"CODE": {{"novelty": 4, "need": 5, "experience": 3}}}}.')
    return value


def read_sealed(path: Path) -> Sealed:
    """Read what `seal` gave the assessor to keep."""
    try:
        return Sealed.model_validate(_json(path))
    except ValidationError:
        raise InputError(f"{path} is no file that `match seal` has written.") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise InputError(f"{path} is no JSON file.") from None


def check_scores(scores: Scores, codes: Sequence[str], low: int, high: int) -> None:
    """Refuse scores that are incomplete, of unknown applications or outside the scale."""
    if unknown := sorted(set(scores) - set(codes)):
        raise InputError(f"There is no application {', '.join(unknown)} to assess.")
    if missing := sorted(set(codes) - set(scores)):
        raise InputError(f"No score for {', '.join(missing)}.")
    for code, values in scores.items():
        if set(values) != set(CRITERIA):
            raise InputError(f"{code}: score exactly {', '.join(CRITERIA)}.")
        for criterion, score in values.items():
            if type(score) is not int or not low <= score <= high:
                raise InputError(
                    f"{code}, {criterion}: {score!r} is no whole number from {low} to {high}."
                )


def changed_scores(engine: Engine) -> list[tuple[str, str]]:
    """Return the (call, assessor) whose opened scores are not those that the audit saw sealed."""
    sealed = {
        (event.detail["call"], event.detail["official"]): event.detail["commitment"]
        for event in events(engine, "match.seal")
    }
    opened = [
        Sealed.model_validate({name: row[name] for name in Sealed.model_fields})
        for call in all_calls(engine)
        for row in assessments_of(engine, call["code"])
        if row["opened_at"] is not None
    ]
    return [
        (one.call, one.official)
        for one in opened
        if sealed.get((one.call, one.official)) != one.commitment
    ]


# --- selection -------------------------------------------------------------------------------


def select(engine: Engine, call: str, reason: str | None = None) -> Outcome:
    """Close the selection by the opened scores.

    Args:
        engine: the database.
        call: its code.
        reason: why the process goes on with a single applicant; then it must be given.

    Raises:
        RefusedError: scores are still sealed, or a single applicant without a reason.
    """
    with selection.step(engine, call, ["assessing"], actor(), "selecting") as now:
        sealed = now.assessments()
        closed = sorted(official for official, row in sealed.items() if row.opened_at is None)
        if len(sealed) < now.call.assessors or closed:
            missing = ", ".join(closed) or f"{now.call.assessors - len(sealed)} assessments"
            raise RefusedError(f"Scores are still missing or sealed: {missing}.")
        codes = now.applications()
        if len(codes) == 1 and not reason:
            raise RefusedError(
                "A single applicant is left: whoever knows of one knows who it is. Go on with "
                "--reason, which the record keeps, or open a new call."
            )
        scores = [row.scores for row in sealed.values()]
        salts = [row.salt for row in sealed.values()]
        outcome = rank(codes, scores, salts, now.call.places, now.call.threshold)
        if len(codes) == 1:
            single = {"key": "single", "reason": reason}
            outcome = Outcome(outcome.ranking, [single, *outcome.notes])
        ranking = [asdict(one) for one in outcome.ranking]
        selection.save_selection(now, ranking, outcome.chosen, outcome.notes)
    return outcome


def rank(
    codes: Sequence[str],
    scores: Sequence[Scores],
    salts: Sequence[str],
    places: int,
    threshold: float,
) -> Outcome:
    """Rank applications by the mean of the three criteria; ties by need, experience, novelty, lot.

    Args:
        codes: of the applications.
        scores: of each assessor.
        salts: of each assessor; they draw the lot.
        places: how many are chosen at most.
        threshold: the least total of whoever is chosen.
    """
    means = {
        code: {name: fmean(one[code][name] for one in scores) for name in CRITERIA}
        for code in codes
    }
    drawn = "\n".join(sorted(salts))
    lots = {code: sha256(f"{drawn}\n{code}".encode()).hexdigest() for code in codes}
    totals = {code: round(fmean(means[code].values()), 9) for code in codes}

    def key(code: str) -> tuple[float, ...]:
        return (totals[code], *(means[code][name] for name in _TIES))

    ordered = sorted(codes, key=lambda code: (*(-value for value in key(code)), lots[code]))
    ranking = [
        Ranked(
            application=code,
            place=place,
            **means[code],
            total=totals[code],
            chosen=place <= places and totals[code] >= threshold,
            lot=lots[code],
        )
        for place, code in enumerate(ordered, 1)
    ]
    return Outcome(ranking, _notes(ranking, key, places, threshold))


def _notes(ranking: Sequence[Ranked], key: Any, places: int, threshold: float) -> list[Note]:
    notes: list[Note] = []
    if len(ranking) > places:
        last, first_out = ranking[places - 1], ranking[places]
        if last.total == first_out.total and last.chosen:
            same = key(last.application) == key(first_out.application)
            how = "tie by lot" if same else "tie by criteria"
            notes.append({"key": how, "last": last.application, "out": first_out.application})
    if not any(one.chosen for one in ranking):
        notes.append({"key": "void", "threshold": threshold})
    return notes
