"""Why a source was not read, told in the reader's language; the sentence itself is the detail."""

import re

from models.reasons import Reason, understood
from pipelines.report.texts import Texts

_PARTS = "; "
_COUNTS = re.compile(r"[\d,]+ × \w+(, [\d,]+ × \w+)*")
"""What a file's import notes: how many of its records were not stored, by outcome."""


def told(sentence: str, t: Texts) -> str:
    """Return a reason in a language, without addresses; one that is not known is only technical."""
    if _COUNTS.fullmatch(sentence):
        return _counted(sentence, t)
    found = understood(sentence)
    if found is None:
        return t("why.unknown")
    if found.reason is Reason.FAULT_AT:
        return told(found.values["why"], t)
    values = dict(found.values)
    if "why" in values:
        values["why"] = _within(told(values["why"], t))
    if "status" in values:
        values["status"] = _status(values["status"], t)
    if found.reason in (Reason.CHANGED, Reason.CHANGED_TOO):
        parts = values["detail"].split(_PARTS)
        values["detail"] = _PARTS.join(_within(told(part, t)) for part in parts)
    said = t(f"why.{found.code}", **values)
    return said[:1].upper() + said[1:]


def _counted(sentence: str, t: Texts) -> str:
    parts = (part.split(" × ") for part in sentence.split(", "))
    said = (f"{t.name('outcome', outcome)} ({number})" for number, outcome in parts)
    return t("why.not_stored", detail="; ".join(said))


def _within(sentence: str) -> str:
    """Return a sentence as a part of another."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def _status(status: str, t: Texts) -> str:
    """Return what an HTTP status means; of an unusual one, what its class means."""
    meaning = t.name("status", status)
    return t.name("status", f"{status[0]}xx") if meaning == status else meaning
