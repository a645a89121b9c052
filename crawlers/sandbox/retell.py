"""How a text changes when somebody passes it on: a few words before, fewer accents, a cut end."""

import re
import unicodedata
from collections.abc import Callable
from random import Random
from typing import Final

from crawlers.sandbox.names import handle
from crawlers.sandbox.sites import Shape, Site
from crawlers.sandbox.texts import Thread

LONGEST_TWEET: Final = 280

_BEFORE: Final = {
    Shape.FACEBOOK: (
        "Compartido de {author}: ",
        "Comparto: ",
        "Me lo mandaron y lo comparto. ",
        "",
        "",
    ),
    Shape.TELEGRAM: ("Reenviado: ", "📢 ", "Reenviado de {author}\n", ""),
    Shape.MASTODON: ("Visto en otra red: ", "Copio de {author}: ", ""),
    Shape.YOUTUBE: ("Como dijeron en otro video: ", "", "", ""),
    Shape.REDDIT: ("Visto en Facebook: ", "Copio y pego: ", ""),
    Shape.DISCOURSE: ("Traigo lo que puso {author}: ", "", ""),
    Shape.FORUM: ("Copio lo que escribió {author}: ", "Pego aquí: ", ""),
    Shape.DECIDIM: ("Me sumo. ", "Reitero: ", ""),
    Shape.OPEN311: ("Reitero: ", "Otra vez: ", ""),
    Shape.CSV: ("", "REITERA: ", ""),
    Shape.XLSX: ("", ""),
}
_ELSEWHERE: Final = ("Compartido: ", "Lo vi en otro grupo: ", "", "")
_AFTER: Final = ("", "", "", " Compartan", " 🙏", " difundir pf", " 👆")
_EMOJI: Final = re.compile("[\U0001f000-\U0001faff☀-➿️\u200d]+")
_SHORT: Final = ((r"\bque\b", "q"), (r"\bpor\b", "x"), (r"\btambién\b", "tmb"))


def retold(text: str, author: str, where: Site, chance: Random) -> str:
    """Return a text as somebody repeats it on a source."""
    if where.shape is Shape.X:
        return _tweet(text, author, chance)
    said = _EDITS[chance.randrange(len(_EDITS))](text)
    before = chance.choice(_BEFORE.get(where.shape, _ELSEWHERE)).format(author=author)
    after = chance.choice(_AFTER) if before and where.shape not in {Shape.CSV, Shape.XLSX} else ""
    return f"{before}{said}{after}"


def echoed(text: str, chance: Random) -> str:
    """Return a comment as it is pasted below something else."""
    said = _EDITS[chance.randrange(len(_EDITS))](text)
    return f"{chance.choice(('', '', '', '', 'x2 ', 'Repito: ', 'Por si no leyeron: '))}{said}"


def syndicated(thread: Thread, outlet: str, chance: Random) -> tuple[str, tuple[str, ...]]:
    """Return title and paragraphs of an article as another medium takes it over."""
    title = chance.choice(("{}", "{}", "Ate: {}", "{} (actualizado)", "{} | Lima Este"))
    body = list(thread.paragraphs)
    if len(body) > 2 and chance.random() < 0.4:
        body.pop()
    if chance.random() < 0.5:
        body[0] = f"Ate.- {body[0]}"
    if chance.random() < 0.5:
        body.append(f"Con información de {outlet}.")
    return title.format(thread.title), tuple(body)


def _tweet(text: str, author: str, chance: Random) -> str:
    if chance.random() < 0.75:
        said = f"RT @{handle(author)}: {text}"
    else:
        said = f"{text} vía @{handle(author)}"
    return said if len(said) <= LONGEST_TWEET else said[: LONGEST_TWEET - 1].rstrip() + "…"


def _same(text: str) -> str:
    return text


def _without_accents(text: str) -> str:
    kept = unicodedata.normalize("NFD", text.replace("ñ", "\0").replace("Ñ", "\1"))
    bare = "".join(letter for letter in kept if not "\u0300" <= letter <= "\u036f")
    return unicodedata.normalize("NFC", bare).replace("\0", "ñ").replace("\1", "Ñ")


def _without_emoji(text: str) -> str:
    return " ".join(_EMOJI.sub("", text).split()) or text


def _hurried(text: str) -> str:
    for pattern, short in _SHORT:
        text = re.sub(pattern, short, text)
    return text.rstrip(".")


_EDITS: Final[tuple[Callable[[str], str], ...]] = (
    _same,
    _same,
    _same,
    str.lower,
    _without_accents,
    _without_emoji,
    _hurried,
    str.upper,
)
