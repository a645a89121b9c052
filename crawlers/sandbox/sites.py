"""The town's sources: what each is called, which shape it has and who is at home there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.records import Kind

NOTICE: Final = "Pueblo simulado: contenido ficticio para pruebas"
"""What every page and every feed of the town says about itself."""


class Shape(StrEnum):
    """In which form a source is read; each value is one way of writing it."""

    RSS_SUMMARY = "rss-summary"
    RSS_TEXT = "rss-text"
    RSS_CONTENT = "rss-content"
    ATOM = "atom"
    JSON_HTML = "json-html"
    JSON_TEXT = "json-text"
    PAGES = "pages"


class Headline(StrEnum):
    """Where the title of a post's feed entry comes from."""

    NONE = "none"
    OPENING = "opening"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Site:
    """One source of the town.

    ``listing`` and ``feed`` are paths below ``/<name>/``; ``zones`` are the parts of the
    district whose neighbours prefer this wall or forum.
    """

    name: str
    title: str
    tagline: str
    shape: Shape
    kind: Kind
    layout: str
    menu: tuple[str, ...]
    heading: str
    feed: str | None = None
    listing: str = ""
    page_size: int = 10
    headline: Headline = Headline.NONE
    zones: frozenset[str] = frozenset()

    @property
    def home(self) -> str:
        """The path of the first page of the listing."""
        return f"/{self.name}/{self.listing}"

    @property
    def feed_path(self) -> str | None:
        """The path of the feed, where the source has one."""
        return None if self.feed is None else f"/{self.name}/{self.feed}"

    @property
    def authority(self) -> str:
        """The reserved host name under which the source's ``tag:`` identifiers are minted."""
        return f"{self.name}.example"


_WEST: Final = frozenset({"salamanca", "mayorazgo", "valdiviezo", "ceres"})
_CENTRE: Final = frozenset({"vitarte", "ceres", "gloria", "valdiviezo", "mayorazgo", "salamanca"})
_EAST: Final = frozenset({"santa-clara", "manylsa", "gloria", "horacio-zevallos", "pariachi"})
_HUAYCAN: Final = frozenset({"huaycan", "amauta", "horacio-zevallos", "pariachi"})

SITES: Final = (
    Site(
        name="radio-huaycan",
        title="Radio Quebrada Huaycán",
        tagline="La voz de las zonas, de la A a la Z",
        shape=Shape.RSS_SUMMARY,
        kind=Kind.ARTICLE,
        layout="radio",
        menu=("Noticias", "Programación", "Servicio social", "En vivo"),
        heading="Últimas noticias",
        feed="feed/",
    ),
    Site(
        name="portal-este",
        title="Portal Lima Este al Día",
        tagline="Lo que pasa al otro lado del Puente Nuevo",
        shape=Shape.PAGES,
        kind=Kind.ARTICLE,
        layout="portal",
        menu=("Portada", "Distrito", "Vecinos", "Deportes"),
        heading="Noticias del distrito",
        listing="noticias/",
        page_size=5,
    ),
    Site(
        name="muni-noticias",
        title="Municipalidad de Ate Simulada",
        tagline="Gestión cercana, vecino por vecino",
        shape=Shape.ATOM,
        kind=Kind.ARTICLE,
        layout="muni",
        menu=("Inicio", "Trámites", "Transparencia", "Noticias"),
        heading="Noticias y comunicados",
        feed="atom.xml",
    ),
    Site(
        name="blog-mercado-ceres",
        title="Cuaderno del Mercado Ceres",
        tagline="Apuntes entre puestos, balanzas y caseritas",
        shape=Shape.JSON_HTML,
        kind=Kind.ARTICLE,
        layout="blog",
        menu=("Inicio", "Puestos", "Recetas", "Archivo"),
        heading="Últimas entradas",
        feed="feed.json",
    ),
    Site(
        name="muro-vitarte",
        title="Muro Vitarte",
        tagline="Lo que se dice en la Carretera Central",
        shape=Shape.JSON_TEXT,
        kind=Kind.POST,
        layout="wall",
        menu=("Muro", "Avisos", "Eventos"),
        heading="Publicaciones recientes",
        feed="feed.json",
        page_size=40,
        zones=_CENTRE,
    ),
    Site(
        name="muro-huaycan",
        title="Huaycán Conversa",
        tagline="Grupo abierto de vecinas y vecinos",
        shape=Shape.RSS_TEXT,
        kind=Kind.POST,
        layout="wall",
        menu=("Publicaciones", "Miembros", "Reglas"),
        heading="Publicaciones del grupo",
        feed="rss.xml",
        page_size=40,
        zones=_HUAYCAN,
    ),
    Site(
        name="foro-salamanca",
        title="Foro Vecinal Salamanca",
        tagline="Salamanca, Mayorazgo, Valdiviezo y alrededores",
        shape=Shape.ATOM,
        kind=Kind.POST,
        layout="forum",
        menu=("Índice", "Temas recientes", "Normas"),
        heading="Temas recientes",
        feed="feed.atom",
        page_size=25,
        headline=Headline.OPENING,
        zones=_WEST,
    ),
    Site(
        name="foro-santa-clara",
        title="Santa Clara Foro",
        tagline="De Santa Clara a Horacio Zevallos",
        shape=Shape.RSS_CONTENT,
        kind=Kind.POST,
        layout="forum",
        menu=("Foros", "Últimos mensajes", "Ayuda"),
        heading="Últimos mensajes",
        feed="feed/",
        page_size=25,
        zones=_EAST,
    ),
    Site(
        name="buzon-vecinal",
        title="Buzón Vecinal",
        tagline="Pedidos, reclamos y sugerencias publicados con permiso de quien los envía",
        shape=Shape.RSS_TEXT,
        kind=Kind.POST,
        layout="desk",
        menu=("Mensajes", "Cómo escribir", "Preguntas"),
        heading="Mensajes recibidos",
        feed="rss.xml",
        page_size=30,
        headline=Headline.NUMBER,
    ),
)

OUTLETS: Final = {
    "radio": "radio-huaycan",
    "portal": "portal-este",
    "muni": "muni-noticias",
    "mercado": "blog-mercado-ceres",
}
"""Which source publishes the articles of each outlet."""

PLACES: Final = {
    "muro": ("muro-vitarte", "muro-huaycan"),
    "foro": ("foro-salamanca", "foro-santa-clara"),
    "buzon": ("buzon-vecinal",),
}
"""Between which sources the posts of each place are shared out."""


def site(name: str) -> Site:
    """Return the source of that name; an unknown name is a programming error."""
    return next(each for each in SITES if each.name == name)
