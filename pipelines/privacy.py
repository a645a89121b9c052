"""Turn an extracted record into one that may be stored: Ley 29733 on personal data.

Names become keyed pseudonyms; phones, identity numbers, e-mails, cards and handles are masked
in the text. A name that somebody writes inside a text is not recognised.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from itertools import islice

import phonenumbers

from models.records import Extracted, Manifestation, manifestation_id

_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z0-9_](?:[\w.]*\w)?")
_DIGITS = re.compile(r"(?<![\w.,$-])\d(?:[ .-]?\d){7,18}(?![\w-]|[.,]\d)")
_DNI_SAID = re.compile(
    r"(?<![^\W\d_])(DNI|dni|Dni|D\.N\.I\.)(\W{0,3}(?:N[°º.]?\s*|n[°º.]?\s*)?)"
    r"(\d(?:[ .-]?\d){6,8})(?!\d)"
)
_TWO_MOBILES = re.compile(r"9\d{8}[ .-]9\d{8}")
_MONEY_BEFORE = re.compile(r"(?:S/\.?|\$) ?$")
_RUC_STARTS = ("10", "15", "16", "17", "20")
_REGION = "PE"


def mask(text: str) -> str:
    """Replace personal data in a text by words in brackets that say what stood there.

    What is masked may bare what stood next to it, so the rules go on until nothing changes; then
    masking a masked text changes nothing either.
    """
    while (masked := _masked_once(text)) != text:
        text = masked
    return text


def _masked_once(text: str) -> str:
    for rule in _RULES:
        text = rule(text)
    return text


def _mask_emails(text: str) -> str:
    return _EMAIL.sub("[correo]", text)


def _mask_handles(text: str) -> str:
    return _HANDLE.sub("@usuario", text)


def _mask_announced_dni(text: str) -> str:
    return _DNI_SAID.sub(r"\1\2[dni]", text)


def _mask_phones(text: str) -> str:
    matches = phonenumbers.PhoneNumberMatcher(text, _REGION, max_tries=1_000)
    pieces, end = [], 0
    for match in islice(matches, 1_000):
        if _MONEY_BEFORE.search(text[max(0, match.start - 4) : match.start]):
            continue
        pieces += [text[end : match.start], "[teléfono]"]
        end = match.end
    return "".join([*pieces, text[end:]])


def _mask_long_numbers(text: str) -> str:
    return _DIGITS.sub(_name_unless_money, text)


def _name_unless_money(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 4) : found.start()]
    return found.group() if _MONEY_BEFORE.search(before) else _name_number(found.group())


def _name_number(written: str) -> str:
    digits = re.sub(r"\D", "", written)
    if 13 <= len(digits) <= 19 and _passes_luhn(digits):
        return "[tarjeta]"
    if _TWO_MOBILES.fullmatch(written):
        return "[teléfono] [teléfono]"
    if len(digits) == 11 and written.isdigit() and digits.startswith(_RUC_STARTS):
        return "[ruc]"
    if len(digits) == 9 and digits.startswith("9"):
        return "[teléfono]"
    if len(digits) == 8 and written.isdigit():
        return "[dni]"
    return written


def _passes_luhn(digits: str) -> bool:
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


_RULES: tuple[Callable[[str], str], ...] = (
    _mask_emails,
    _mask_handles,
    _mask_announced_dni,
    _mask_long_numbers,
    _mask_phones,
)


def text_hash(title: str | None, text: str) -> str:
    """Return the SHA-256 of a text as a reader would compare it.

    Case, accents, punctuation and spacing do not count, so a copy has the same hash.
    """
    decomposed = unicodedata.normalize("NFKD", f"{title or ''} {text}".casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    words = re.findall(r"\w+", plain) or plain.split()
    return sha256(" ".join(words).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Pseudonymiser:
    """Makes the storable records of one municipality.

    Its key is derived from the installation's secret, so the same author has unrelated
    pseudonyms in two municipalities.
    """

    municipality: str
    secret: bytes

    def author(self, source: str, name: str) -> str:
        """Return the pseudonym of an author of a source: ``a-`` and 16 hexadecimal digits."""
        key = hmac.digest(self.secret, self.municipality.encode(), "sha256")
        message = f"{source}\x1f{' '.join(name.split()).casefold()}"
        return f"a-{hmac.digest(key, message.encode(), 'sha256').hex()[:16]}"

    def storable(self, record: Extracted) -> Manifestation:
        """Mask a record and give it its stable identity. Its date must be known."""
        if record.said_at is None:
            raise ValueError(f"{record.source} {record.external_id} has no date")
        title = mask(record.title) if record.title else None
        text = mask(record.text)
        return Manifestation(
            id=self._id(record.source, record.external_id),
            municipality=self.municipality,
            source=record.source,
            external_id=record.external_id,
            kind=record.kind,
            title=title,
            text=text,
            text_hash=text_hash(title, text),
            author=self.author(record.source, record.author) if record.author else None,
            url=record.url,
            said_at=record.said_at.astimezone(UTC),
            fetched_at=record.fetched_at.astimezone(UTC),
            parent_id=self._related(record, record.parent_external_id),
            thread_id=self._related(record, record.thread_external_id),
            capture_id=record.capture_id,
        )

    def _id(self, source: str, external_id: str) -> str:
        return manifestation_id(self.municipality, source, external_id)

    def _related(self, record: Extracted, external_id: str | None) -> str | None:
        return self._id(record.source, external_id) if external_id else None
