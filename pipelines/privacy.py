"""Turn an extracted record into one that may be stored: Ley 29733 on personal data.

Names become keyed pseudonyms; phones, identity numbers, e-mails, cards and handles are masked
in the text, and where a municipality asks for it the plates of vehicles. A name that somebody
writes inside a text is not recognised.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from itertools import islice

import phonenumbers

from models.records import Extracted, Manifestation, manifestation_id

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]++@[\w-]+(?:\.[\w-]+)+")
_HANDLE = re.compile(r"(?<![\w@.])@[A-Za-z0-9_](?:[\w.]*\w)?")
_DIGITS = re.compile(r"(?<![\w.,$-])\d(?:[ .-]?\d){7,18}(?![\w-]|[.,]\d)")
_DNI_SAID = re.compile(
    r"(?<![^\W\d_])(DNI|dni|Dni|D\.N\.I\.)(\W{0,3}(?:N[°º.]?\s*|n[°º.]?\s*)?)"
    r"(\d(?:[ .-]?\d){6,8})(?!\d)"
)
_TWO_MOBILES = re.compile(r"9\d{8}[ .-]9\d{8}")
_LIMA_LANDLINE = re.compile(
    r"((?<![^\W\d_])(?:tel[eé]fonos?|telfs?\.?|tel\.?|tlfs?\.?|fijo|fono|central(?: telef[oó]nica)?"
    r"|ll[aá]m\w{0,6} al?|comun[ií]\w{1,8} (?:al?|con el)|marc\w{1,5} al?)\W{0,3}(?:n[°º.]{1,2} ?)?"
    r"|\[teléfono\](?: ?[/,;] ?| [yo] ))"
    r"[2-7]\d{2}[ .-]?\d{4}(?![\w-]|[.,]\d)",
    re.IGNORECASE,
)
"""Seven digits may be anything: only words before them, or another number, make them a phone."""

_PLATE = re.compile(
    r"(?<![\w-])(?!UCV-)(?:[A-Z][A-Z0-9][A-Z]-\d{3}|\d{4}-\d[A-Z]"
    r"|[A-Z]{2}-(?!(?:19|20)\d\d(?!\d))\d{4,5})(?![\w-])"
)
"""ABC-123 and A1B-234, 1234-5A, NG-1234; CP-2024 is a tender and UCV-123 a part of Huaycán."""

_PLATE_SAID = re.compile(
    r"(?<![^\W\d_])([Pp]lacas?|PLACAS?)((?: de rodaje)?\W{0,3}(?:[Nn](?:ro)?[°º.]{1,2} ?)?)"
    r"(?:[A-Z][A-Z0-9]{2}[ -]?\d{3}|[A-Z]{2}[ -]?\d{4,5}|\d{4}[ -]?(?:\d[A-Z]|[A-Z]{2})"
    r"|[a-z][a-z0-9]{2}-?\d{3}|[a-z]{2}-?\d{4,5}|\d{4}-?(?:\d[a-z]|[a-z]{2}))(?![\w-])"
)

_MONEY_BEFORE = re.compile(r"(?:S/\.?|\$) ?$")
_MONEY_AFTER = re.compile(
    r" ?(?:de )?(?:nuevos )?(?:soles|sol|d[oó]lares|euros|USD|PEN)(?!\w)", re.IGNORECASE
)
_RUC_STARTS = ("10", "15", "16", "17", "20")
_REGION = "PE"


def mask(text: str, *, plates: bool = False) -> str:
    """Replace personal data in a text by words in brackets that say what stood there.

    What is masked may bare what stood next to it, so the rules go on until nothing changes; then
    masking a masked text changes nothing either.

    Args:
        text: the text.
        plates: whether the plates of vehicles are masked too.
    """
    rules = (*_RULES, _mask_plates) if plates else _RULES
    while (masked := _masked_once(text, rules)) != text:
        text = masked
    return text


def _masked_once(text: str, rules: Sequence[Callable[[str], str]]) -> str:
    for rule in rules:
        text = rule(text)
    return text


def _mask_emails(text: str) -> str:
    return _EMAIL.sub("[correo]", text)


def _mask_handles(text: str) -> str:
    return _HANDLE.sub("@usuario", text)


def _mask_announced_dni(text: str) -> str:
    return _DNI_SAID.sub(r"\1\2[dni]", text)


def _mask_plates(text: str) -> str:
    return _PLATE.sub("[placa]", _PLATE_SAID.sub(r"\1\2[placa]", text))


def _mask_landlines(text: str) -> str:
    return _LIMA_LANDLINE.sub(_unless_money, text)


def _unless_money(found: re.Match[str]) -> str:
    return found.group() if _is_money(found.string, *found.span()) else f"{found[1]}[teléfono]"


def _mask_phones(text: str) -> str:
    matches = phonenumbers.PhoneNumberMatcher(text, _REGION, max_tries=1_000)
    pieces, end = [], 0
    for match in islice(matches, 1_000):
        if _is_money(text, match.start, match.end):
            continue
        pieces += [text[end : match.start], "[teléfono]"]
        end = match.end
    return "".join([*pieces, text[end:]])


def _mask_long_numbers(text: str) -> str:
    return _DIGITS.sub(_name_unless_money, text)


def _name_unless_money(found: re.Match[str]) -> str:
    is_money = _is_money(found.string, *found.span())
    return found.group() if is_money else _name_number(found.group())


def _is_money(text: str, start: int, end: int) -> bool:
    """Say whether what stands before or after a number makes it a sum."""
    is_after = _MONEY_AFTER.match(text, end) is not None
    return is_after or _MONEY_BEFORE.search(text[max(0, start - 4) : start]) is not None


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
    _mask_landlines,
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
    pseudonyms in two municipalities. ``mask_plates`` masks the plates of vehicles too.
    """

    municipality: str
    secret: bytes
    mask_plates: bool = False

    def author(self, source: str, name: str) -> str:
        """Return the pseudonym of an author of a source: ``a-`` and 16 hexadecimal digits."""
        key = hmac.digest(self.secret, self.municipality.encode(), "sha256")
        message = f"{source}\x1f{' '.join(name.split()).casefold()}"
        return f"a-{hmac.digest(key, message.encode(), 'sha256').hex()[:16]}"

    def digests(self, source: str, external_id: str, author: str | None = None) -> tuple[str, ...]:
        """Return the keyed hashes by which a record is known once it was purged.

        One stands for the record alone, one for all that its author says; neither says of what.
        """
        named = [f"item\x1f{source}\x1f{external_id}"]
        return tuple(self._digest(name) for name in named) + (
            (self.buried_author(self.author(source, author)),) if author else ()
        )

    def buried_author(self, pseudonym: str) -> str:
        """Return the keyed hash of an author's pseudonym."""
        return self._digest(f"author\x1f{pseudonym}")

    def _digest(self, name: str) -> str:
        message = f"tombstone\x1f{self.municipality}\x1f{name}"
        return hmac.digest(self.secret, message.encode(), "sha256").hex()[:32]

    def storable(self, record: Extracted) -> Manifestation:
        """Mask a record and give it its stable identity. Its date must be known."""
        if record.said_at is None:
            raise ValueError(f"{record.source} {record.external_id} has no date")
        title = mask(record.title, plates=self.mask_plates) if record.title else None
        text = mask(record.text, plates=self.mask_plates)
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
