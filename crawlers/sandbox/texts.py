"""The town's texts: what its neighbours and its media say, with their labels.

The texts are files of one JSON object a line. They are read strictly: an unknown key, an
unknown label or a repeated id stops the reading with the file and the line.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from models.errors import InputError
from models.labels import CATEGORIES, INTENTS, SENTIMENTS

TEXTS: Final = Path(__file__).parent / "texts"
"""The folder with the texts that ship with the project."""

_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def _printable(value: str) -> str:
    if _UNPRINTABLE.search(value):
        raise ValueError("the text holds a control character, which no feed may carry")
    return value


def _category(value: str) -> str:
    return _one_of(value, CATEGORIES)


def _sentiment(value: str) -> str:
    return _one_of(value, SENTIMENTS)


def _intent(value: str) -> str:
    return _one_of(value, INTENTS)


def _one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"«{value}» is not one of {', '.join(known)}")
    return value


Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000),
    AfterValidator(_printable),
]


class Labelled(BaseModel):
    """What every text has: an id, an author and the labels of a careful reader.

    ``copy_of`` is the id of the text that this one repeats, and ``noise`` says of which kind a
    text is that belongs to no conversation about the district. ``event`` is the planted event that
    a text belongs to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Identifier
    author: Words
    category: Annotated[str, AfterValidator(_category)]
    second: Annotated[str, AfterValidator(_category)] | None
    sentiment: Annotated[str, AfterValidator(_sentiment)]
    intent: Annotated[str, AfterValidator(_intent)]
    zone: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")] | None
    copy_of: Identifier | None = None
    noise: Literal["spam", "language", "greeting", "bump"] | None = None
    event: str | None = None

    @model_validator(mode="after")
    def _two_categories_differ(self) -> Self:
        if self.second == self.category:
            raise ValueError("the second category repeats the first; write null")
        return self


class Post(Labelled):
    """One message on a wall, in a forum or in the neighbours' letter box."""

    text: Words
    place: Literal["muro", "foro", "buzon"]


class Comment(Labelled):
    """One comment below an article, or a reply to another comment of the same thread."""

    text: Words
    parent: Identifier | None


class Noise(Labelled):
    """Spam, another language, a greeting or a «bump»: what fills the spaces in between."""

    text: Words
    noise: Literal["spam", "language", "greeting", "bump"]


class Thread(Labelled):
    """One article of an outlet with the comments below it."""

    outlet: Literal["radio", "portal", "muni", "mercado"]
    title: Words
    paragraphs: Annotated[tuple[Words, ...], Field(min_length=1)]
    comments: tuple[Comment, ...]

    @model_validator(mode="after")
    def _parents_come_first(self) -> Self:
        seen: set[str] = set()
        for comment in self.comments:
            if comment.parent is not None and comment.parent not in seen:
                raise ValueError(f"comment {comment.id} answers {comment.parent}, not yet said")
            if comment.id in seen:
                raise ValueError(f"comment {comment.id} occurs twice")
            seen.add(comment.id)
        return self


class Texts(BaseModel):
    """Everything that the town says, in the order of the files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    posts: tuple[Post, ...]
    threads: tuple[Thread, ...]
    noise: tuple[Noise, ...] = ()

    @property
    def labelled(self) -> Iterator[Labelled]:
        """Every manifestation but the noise: posts, articles and comments."""
        yield from self.posts
        for thread in self.threads:
            yield thread
            yield from thread.comments


Row = TypeVar("Row", bound=Labelled)


def load_texts(folder: Path = TEXTS) -> Texts:
    """Read every ``posts_*.jsonl``, ``threads_*.jsonl`` and ``noise*.jsonl`` of a folder.

    Raises:
        InputError: A line is not what it should be, or an id occurs twice; the message says
            file and line.
    """
    posts: list[Post] = []
    threads: list[Thread] = []
    taken: dict[str, str] = {}
    for where, post in _read(sorted(folder.glob("posts_*.jsonl")), Post):
        _claim(taken, (post.id,), where)
        posts.append(post)
    for where, thread in _read(sorted(folder.glob("threads_*.jsonl")), Thread):
        _claim(taken, (thread.id, *(comment.id for comment in thread.comments)), where)
        threads.append(thread)
    noise: list[Noise] = []
    for where, line in _read(sorted(folder.glob("noise*.jsonl")), Noise):
        _claim(taken, (line.id,), where)
        noise.append(line)
    if not taken:
        raise InputError(f"{folder}: no texts; expected posts_*.jsonl and threads_*.jsonl")
    return Texts(posts=tuple(posts), threads=tuple(threads), noise=tuple(noise))


def _claim(taken: dict[str, str], ids: Iterable[str], where: str) -> None:
    for name in ids:
        if name in taken:
            raise InputError(f"{where}: the id {name} is already used at {taken[name]}")
        taken[name] = where


def _read(paths: Iterable[Path], model: type[Row]) -> Iterator[tuple[str, Row]]:
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: not UTF-8 ({error.reason})") from error
        for number, line in enumerate(lines, start=1):
            if line.strip():
                where = f"{path}:{number}"
                yield where, _parse(line, model, where)


def _parse(line: str, model: type[Row], where: str) -> Row:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        spot = ".".join(str(part) for part in first["loc"]) or "line"
        raise InputError(f"{where}: {spot}: {first['msg']}") from error
