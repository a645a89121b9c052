"""Why a source was not read to its end: sentences with values, each of which has a code.

The ledger keeps the English sentence, which an engineer reads. `understood` gives its code and its
values back, by which a page tells it in its reader's language.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

_SHAPES = {
    "url": r"https?://\S+",
    "site": r"https?://\S+",
    "host": r"\S+",
    "variable": r"\S+",
    "status": r"\d{3}",
    "number": r"[\d.,]+",
    "bound": r"[\d.,]+",
    "code": r"(?: \([^()]*\))?",
}
_ANYTHING = r".+?"
_FIELD = re.compile(r"\{(\w+)\}")


class Reason(StrEnum):
    """Each is its English sentence; of two that fit a text, the one above is meant."""

    CHANGED_TOO = "{why}; the source has changed: {detail}"
    CHANGED = "the source has changed: {detail}"
    FIELD_LOST = "no record has the field «{name}» any more"
    TOO_FEW = "{number} manifestations a day, and at least {bound} are expected"
    TOO_MANY = "{number} manifestations a day, and at most {bound} are expected"
    QUARANTINED = "quarantined after {number} failed runs ({why}); it is due again after {when}"
    IDLE = "nothing new in {number} runs; it is due again after {when}"
    LAST_READ = "it was last read on {day}"

    NO_ADDRESS = "{url} cannot be found: {host} has no address"
    REFUSED = "{url} cannot be read: connection refused"
    CERTIFICATE = "{url} cannot be read: its TLS certificate is not valid"
    NETWORK = "{url} cannot be read: {detail}"
    FAILED = "{url} cannot be read ({detail})"
    NO_ANSWER = "{url} did not answer within {number} seconds"
    TOO_LARGE_UNPACKED = "{url} is larger than the limit of {number} bytes once unpacked"
    TOO_LARGE = "{url} is larger than the limit of {number} bytes"
    BROKE_OFF = "{url} broke off in the middle"
    ENDLESS = "{url} redirects without end"

    ROBOTS = "robots.txt of {site} does not allow {url}"
    ROBOTS_BY_SCRIPT = "robots.txt does not allow {detail}, where {url} leads"
    ROBOTS_UNREADABLE = "robots.txt of {site} answered {status}, which allows nothing for now"
    NOT_ALLOWED = "{url} may not be read: {detail}"
    CAPTCHA = "{url} asks to solve a captcha"
    LOG_IN = "{url} asks to log in"
    KEY_REFUSED = (
        "{url} answered {status}{code}: the token in the environment variable {variable} is refused"
    )
    KEY_WANTED = (
        "{url} answered {status}{code}: it wants a token: name its environment variable in «token»"
    )
    KEY_MISSING = "the token of «{source}» is missing: set the environment variable {variable}"
    KEY_UNUSABLE = "the environment variable {variable} holds no token: it has spaces or accents"
    LIMITED = "{host} is temporarily limited ({status}): {detail}; again after {when} UTC"
    LIMITED_FOR_NOW = "{host} is temporarily limited ({status}): {detail}; try again later"
    BUSY = "{url} answered {status}, for {number} seconds more"
    ANSWERED_WITH = "{url} answered {status}: {detail}"
    ANSWERED = "{url} answered {status}"

    MOST_REQUESTS = "it reached its limit of {number} requests"
    MOST_SECONDS = "it reached its limit of {number} seconds"
    MOST_BYTES = "it gave more than its limit of {number} bytes"
    MOST_RECORDS = "it gave more than its limit of {number} records"
    MEMORY = "it needed too much memory"
    MEMORY_OF = "the crawl of {url} needed too much memory"
    STOPPED = "it was stopped"
    STOPPED_SAFELY = "it was stopped before its end; what it had stored is kept"
    KILLED = (
        "its process ended without a word (killed, or the machine stopped);"
        " what it had stored is kept"
    )
    CLOSED = "it was closed ({detail})"
    NOT_ENDED = "it did not end within {number} seconds"
    BROKEN = "the crawl of {url} broke off ({detail}"
    NOT_STARTED = "the crawl could not start in {detail}"
    NO_STARTER = "the process that starts crawls {detail}"
    NO_CRAWL = "no crawl can be started: {detail}"
    NO_BROWSER = "«render: browser» needs the optional browser: {detail}"
    ARCHIVE_UNWRITABLE = "the archive cannot be written: {detail}"
    ARCHIVE_LACKS = "the archive lacks {number} of the addresses that it asks for"
    NOT_ARCHIVED = "{url} is not in the archive"
    FOLDER_UNWRITABLE = "the folder {detail} cannot be written: {why}"
    OWN_FAULT = "Manifiesta itself broke while it read {detail}"
    FAULT = "Manifiesta failed to read it ({detail})"
    FAULT_AT = "{url}: {why}"

    PAGE_NOT_READ = "its page was not read: {why}"
    NOT_READ = "{url} was not read: {why}"
    UNEXPECTED = "{url} {detail}"

    def said(self, **values: object) -> str:
        """Return the sentence with its values."""
        return self.value.format(**values)


@dataclass(frozen=True, slots=True)
class Understood:
    """A reason with its values as they were written; ``why`` may be understood in turn."""

    reason: Reason
    values: Mapping[str, str]

    @property
    def code(self) -> str:
        """The name of the reason, in small letters."""
        return self.reason.name.lower()


def understood(sentence: str) -> Understood | None:
    """Return which reason a sentence says; None if it is none of these, as of another version."""
    for reason in Reason:
        if found := _pattern(reason).fullmatch(sentence):
            return Understood(reason, found.groupdict())
    return None


@cache
def _pattern(reason: Reason) -> re.Pattern[str]:
    parts = _FIELD.split(reason.value)
    names = set(parts[1::2])
    shaped = "".join(
        f"(?P<{part}>{_SHAPES.get(part, _ANYTHING)})" if at % 2 else re.escape(part)
        for at, part in enumerate(parts)
    )
    if len(names) < len(parts) // 2:
        raise ValueError(f"{reason.name} names a value twice")
    return re.compile(shaped, re.DOTALL)
