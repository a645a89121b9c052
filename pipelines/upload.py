"""Read an uploaded file as the records of one source.

Every row ends as exactly one `Extracted` or one `Rejection` that says why not and in which line.
A `Rejection` never quotes the row.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from configs.schema import Columns, Format, Source, is_web_address
from models.errors import InputError
from models.records import Extracted, Kind, Outcome, Rejection
from pipelines.exports import EXPORTS, columns_of, export_of, plain_name
from pipelines.tabular import Broken, Row, open_table

MAX_TEXT: Final = 200_000
MAX_IDENTITY: Final = 500
MAX_DATE: Final = 80
FIRST_YEAR: Final = 1990
TOLERANCE: Final = timedelta(days=1)
"""How far a date may lie ahead: clocks and time zones of exports are often wrong by hours."""

_COMMON: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (
        *("texto", "text", "comentario", "comment", "mensaje", "message", "full_text"),
        *("contenido", "content", "cuerpo", "body", "descripcion", "description", "opinion"),
        *("queja", "reclamo", "publicacion", "post", "tweet", "resumen", "summary"),
    ),
    "date": (
        *("fecha", "date", "created_at", "fecha_hora", "fecha_publicacion", "fecha_de_publicacion"),
        *("published", "published_at", "publish_date", "pub_date", "pubdate", "datetime"),
        *("timestamp", "created", "created_time", "fecha_creacion", "fecha_registro"),
    ),
    "title": ("titulo", "title", "titular", "headline", "asunto", "subject"),
    "id": (
        *("id", "id_str", "codigo", "uuid", "guid", "external_id"),
        *("comment_id", "post_id", "tweet_id", "id_comentario"),
    ),
    "url": ("url", "link", "enlace", "original_url", "url_original", "permalink", "href"),
    "author": ("autor", "author", "usuario", "user", "username", "user_name", "screen_name"),
}
_MISSING: Final = frozenset({"", "nan", "nat", "none", "null", "<na>"})
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_EPOCH: Final = re.compile(r"[1-9]\d{8,9}(\d{3})?(\.\d{1,6})?")
_ISO: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}(?!\d)")
_HALF_DAY: Final = re.compile(r"\b([ap])\.? ?m\b\.?", re.IGNORECASE)
_IN_FIGURES: Final = re.compile(r"\d{1,2}[/. -](\d{1,2})[/. -]\d{2}")
_TIMES: Final = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p")
_FORMS: Final = (
    *(day + time for day in ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y") for time in _TIMES),
    *("%Y/%m/%d" + time for time in _TIMES),
    "%a %b %d %H:%M:%S %z %Y",
)


def read_upload(
    path: Path, source: Source, zone: ZoneInfo, fetched_at: datetime
) -> Iterator[Extracted | Rejection]:
    """Read a CSV, JSON Lines, Excel or zip file row by row, in bounded memory.

    The columns are the source's, or else guessed from the header. The file's header is examined
    before this returns; rows are read as the iterator goes.

    Args:
        path: the file.
        source: the source that the records will belong to.
        zone: the zone of dates that name none.
        fetched_at: the moment of the import, aware.

    Raises:
        InputError: the file is empty, is no such file, lacks a mapped column, or breaks off.
    """
    wanted = _mapped(source.columns) if source.columns else set().union(*_COMMON.values())
    table = open_table(path, wanted)
    columns = source.columns or guess_columns(table.header, source.format)
    if columns is None:
        raise InputError(
            f"{path}: which column holds the text, and which the date? The file has "
            f"{_names(table.header)}. Name them in the source's «columns», such as "
            "columns: {text: comentario, date: fecha}"
        )
    _require(path, columns, table.header)
    form = source.format or (export_of(table.header) if source.columns is None else None)
    if form is not None and EXPORTS[form].in_utc:
        zone = ZoneInfo("UTC")
    reader = _Reader(source, columns, zone, fetched_at, _UNSTORABLE.sub("", path.name))
    return map(reader.record, table.rows())


def guess_columns(header: list[str], form: Format | None = None) -> Columns | None:
    """Map the columns of a known tool's export, or else common Spanish and English names.

    None unless text and date are found. A file of headlines without text gives its title as the
    text.
    """
    if known := form or export_of(header):
        return columns_of(known, header)
    plain: dict[str, str] = {}
    for name in header:
        plain.setdefault(plain_name(name), name)
    found: dict[str, str] = {}
    for part, names in _COMMON.items():
        common = next((n for n in names if n in plain), None)
        if common is not None:
            found[part] = plain[common]
    if "text" not in found and "title" in found:
        found["text"] = found.pop("title")
    if "text" not in found or "date" not in found:
        return None
    return Columns.model_validate(found)


def parse_moment(value: Any, zone: ZoneInfo) -> datetime | None:
    """Read a date as people and programs write it; a naive one is local. None if it is none.

    Days come before months. Nothing relative to now («ayer», «12:30») is taken for a date.
    """
    if isinstance(value, datetime):
        return _aware(value, zone)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=zone)
    if isinstance(value, bool):
        return None
    return _moment(_text(value), zone)


@dataclass
class _Reader:
    """Turns rows into records, and remembers which identities it has given out."""

    source: Source
    columns: Columns
    zone: ZoneInfo
    fetched_at: datetime
    file: str
    mapped: set[str] = field(init=False)
    seen: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.mapped = _mapped(self.columns)

    def record(self, row: Row | Broken) -> Extracted | Rejection:
        """Return the record of a row, or why there is none."""
        if isinstance(row, Broken):
            return self._reject(row, Outcome.UNREADABLE, row.reason)
        title, text = self._cell(row, "title"), self._cell(row, "text")
        said_at = parse_moment(row.cells.get(self.columns.date), self.zone)
        flaw = next(self._flaws(row, title, text, said_at), None)
        if flaw is not None:
            return self._reject(row, *flaw)
        return self._unless_seen(row, title, text, said_at)

    def _flaws(
        self, row: Row, title: str, text: str, said_at: datetime | None
    ) -> Iterator[tuple[Outcome, str]]:
        """Go through what is wrong with a row; the first is the one it is counted under."""
        if any(isinstance(row.cells.get(name), dict | list) for name in self.mapped):
            yield Outcome.UNREADABLE, "a list or object instead of a text"
        if not (text or title):
            yield Outcome.NO_TEXT, "text and title are empty"
        longest = max(len(text), len(title))
        if longest > MAX_TEXT:
            yield Outcome.TOO_LONG, f"{longest:,} characters"
        typed = self._cell(row, "date")
        if not typed:
            yield Outcome.NO_DATE, "the date is empty"
        if wrong := self._wrong_date(said_at, typed):
            yield Outcome.BAD_DATE, wrong

    def _unless_seen(
        self, row: Row, title: str, text: str, said_at: datetime | None
    ) -> Extracted | Rejection:
        identity = self._identity(row, title, text)
        digest = sha256(identity.encode()).digest()[:16]
        if digest in self.seen:
            return self._reject(row, Outcome.DUPLICATE, "an earlier row has the same identity")
        self.seen.add(digest)
        url = self._cell(row, "url")
        parent, thread = self._answers(row, identity)
        return Extracted(
            source=self.source.name,
            external_id=identity,
            kind=Kind.COMMENT if parent else self.source.kind,
            text=text or title,
            title=title if text and title != text else None,
            said_at=said_at.astimezone(UTC) if said_at else None,
            fetched_at=self.fetched_at,
            author=self._cell(row, "author")[:MAX_IDENTITY] or None,
            url=url if is_web_address(url) and len(url) <= 2_000 else None,
            parent_external_id=parent,
            thread_external_id=thread,
        )

    def _answers(self, row: Row, identity: str) -> tuple[str | None, str | None]:
        """Return what a row answers, and what began the conversation; nothing of an opener."""
        parent, thread = (_short(self._cell(row, part)) for part in ("parent", "thread"))
        parent = parent if parent != identity else ""
        thread = thread if thread != identity else ""
        return parent or thread or None, thread or parent or None

    def _cell(self, row: Row, part: str) -> str:
        column = getattr(self.columns, part)
        return _text(row.cells.get(column)) if column else ""

    def _identity(self, row: Row, title: str, text: str) -> str:
        """Return the row's id, else its address, else a digest of what it says and when."""
        given = self._cell(row, "id") or self._cell(row, "url")
        if given:
            return _short(given)
        return _digest("\x1f".join((title, text, self._cell(row, "date"))))

    def _wrong_date(self, moment: datetime | None, typed: str) -> str | None:
        if moment is None:
            return f"«{_shape(typed)}» is no date that can be read; write 2026-03-01 14:30"
        if moment.year < FIRST_YEAR:
            return f"the year {moment.year} is too early"
        if moment.year > self.fetched_at.year + 1 or moment > self.fetched_at + TOLERANCE:
            return f"the year {moment.year}, in the future"
        return None

    def _reject(self, row: Row | Broken, outcome: Outcome, detail: str) -> Rejection:
        part = f"{_UNSTORABLE.sub('', row.part)}:" if row.part else ""
        return Rejection(self.source.name, outcome, f"{self.file}:{part}{row.line}", detail)


def _short(identity: str) -> str:
    """Return an id as it is, or a digest of one that is too long to be kept."""
    return identity if len(identity) <= MAX_IDENTITY else _digest(identity)


def _digest(said: str) -> str:
    return sha256(said.encode()).hexdigest()


def _mapped(columns: Columns) -> set[str]:
    return {name for name in columns.model_dump().values() if name}


def _require(path: Path, columns: Columns, header: list[str]) -> None:
    for name in sorted(_mapped(columns)):
        if header.count(name) == 1:
            continue
        if name in header:
            raise InputError(f"{path} has the column «{name}» twice; rename one of them")
        near = get_close_matches(plain_name(name), [plain_name(h) for h in header], n=1)
        meant = next((h for h in header if near and plain_name(h) == near[0]), None)
        hint = f"Did you mean «{meant}»? " if meant else ""
        raise InputError(f"{path} has no column «{name}». {hint}It has {_names(header)}")


def _names(header: list[str]) -> str:
    shown = [name if len(name) <= 40 else f"{name[:39]}…" for name in header[:30]]
    more = f" and {len(header) - 30} more" if len(header) > 30 else ""
    return _UNSTORABLE.sub("", ", ".join(shown)) + more


def _text(value: Any) -> str:
    """Return a cell as text: empty where programs write that nothing is there."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        value = int(value) if value.is_integer() else value
    if isinstance(value, date):
        value = value.isoformat()
    text = _UNSTORABLE.sub("", str(value)).strip()
    return "" if text.casefold() in _MISSING else text


def _shape(typed: str) -> str:
    """Show how a date is written without what it says: 99/99/99 aa."""
    letters = re.sub(r"[^\W\d_]", "a", typed[:30])
    return re.sub(r"\d", "9", letters)


# --- dates -----------------------------------------------------------------------------------


@lru_cache(maxsize=16_384)
def _moment(typed: str, zone: ZoneInfo) -> datetime | None:
    if not typed or len(typed) > MAX_DATE:
        return None
    typed = _HALF_DAY.sub(r"\1m", " ".join(typed.split()))
    for read in (_epoch, _iso, _known_form, _mail_form, _in_words):
        try:
            moment = read(typed)
        except (ValueError, OverflowError, LookupError, TypeError):
            continue
        if moment is not None:
            return _aware(moment, zone)
    return None


def _epoch(typed: str) -> datetime | None:
    found = _EPOCH.fullmatch(typed)
    if found is None:
        return None
    return datetime.fromtimestamp(float(typed) / (1_000 if found[1] else 1), UTC)


def _iso(typed: str) -> datetime | None:
    return datetime.fromisoformat(typed) if _ISO.match(typed) else None


def _known_form(typed: str) -> datetime | None:
    if not typed[:1].isalnum():
        return None
    for form in _FORMS:
        try:
            return datetime.strptime(typed, form)  # noqa: DTZ007 (the zone is added by _aware)
        except ValueError:
            continue
    return None


def _mail_form(typed: str) -> datetime | None:
    return parsedate_to_datetime(typed) if ":" in typed and typed[-1:].isalnum() else None


def _in_words(typed: str) -> datetime | None:
    figures = _IN_FIGURES.match(typed)
    if figures and int(figures[1]) > 12:
        return None  # 12/25/2024: month first, so 03/04/2024 in the same file would be misread
    found = _parser()(typed)
    return found if isinstance(found, datetime) else None


@cache
def _parser() -> Callable[[str], Any]:
    from dateparser.date import DateDataParser

    parser = DateDataParser(
        languages=["es", "en"],
        settings={
            "DATE_ORDER": "DMY",
            "PREFER_LOCALE_DATE_ORDER": False,
            "PARSERS": ["absolute-time"],
            "REQUIRE_PARTS": ["day", "month", "year"],
        },
    )
    return lambda typed: parser.get_date_data(typed).date_obj


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment if moment.utcoffset() is not None else moment.replace(tzinfo=zone)
