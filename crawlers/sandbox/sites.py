"""The town's sources: what each is called, which shape it has and who is at home there."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.records import Kind, Protocol

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
    SITEMAP = "sitemap"
    WORDPRESS = "wordpress"
    NEWS = "news"
    DISCOURSE = "discourse"
    FORUM = "forum"
    MASTODON = "mastodon"
    YOUTUBE = "youtube"
    FACEBOOK = "facebook"
    X = "x"
    REDDIT = "reddit"
    TELEGRAM = "telegram"
    DECIDIM = "decidim"
    OPEN311 = "open311"
    CSV = "csv"
    XLSX = "xlsx"


_FEEDS: Final = frozenset(
    {
        Shape.RSS_SUMMARY,
        Shape.RSS_TEXT,
        Shape.RSS_CONTENT,
        Shape.ATOM,
        Shape.JSON_HTML,
        Shape.JSON_TEXT,
    }
)
_WITH_PAGES: Final = _FEEDS | {Shape.PAGES, Shape.SITEMAP, Shape.WORDPRESS}
_PROTOCOLS: Final = {
    **dict.fromkeys((*_FEEDS, Shape.NEWS), Protocol.FEED),
    Shape.CSV: Protocol.UPLOAD,
    Shape.XLSX: Protocol.UPLOAD,
}


class Headline(StrEnum):
    """Where the title of a post's feed entry comes from."""

    NONE = "none"
    OPENING = "opening"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Site:
    """One source of the town.

    ``listing``, ``feed`` and ``entry`` are paths below ``/<name>/``; ``zones`` are the parts of
    the district whose neighbours prefer this wall or forum.
    """

    name: str
    title: str
    tagline: str
    shape: Shape
    layout: str
    kind: Kind = Kind.POST
    menu: tuple[str, ...] = ()
    heading: str = ""
    feed: str | None = None
    listing: str = ""
    page_size: int = 10
    headline: Headline = Headline.NONE
    zones: frozenset[str] = frozenset()
    entry: str | None = None

    @property
    def protocol(self) -> Protocol:
        """How a crawler reads the source."""
        return _PROTOCOLS.get(self.shape) or Protocol(self.shape.value)

    @property
    def address(self) -> str:
        """The path that a crawler's configuration names; for an upload, where its file lies."""
        if self.entry is not None:
            return f"/{self.name}/{self.entry}"
        return self.feed_path or self.home

    @property
    def has_pages(self) -> bool:
        """Whether people read it as a web site of its own: a listing and a page an item."""
        return self.shape in _WITH_PAGES

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
    Site(
        name="semanario-quebrada",
        title="Semanario La Quebrada",
        tagline="Siete días de Lima Este, contados despacio",
        shape=Shape.RSS_CONTENT,
        kind=Kind.ARTICLE,
        layout="radio",
        menu=("Portada", "Crónicas", "Opinión", "Números anteriores"),
        heading="Esta semana",
        feed="feed/",
    ),
    Site(
        name="diario-este",
        title="Diario del Este",
        tagline="Noticias de Ate y sus quebradas",
        shape=Shape.SITEMAP,
        kind=Kind.ARTICLE,
        layout="portal",
        menu=("Portada", "Distrito", "Política", "Deportes"),
        heading="Lo último",
        listing="ultimas/",
        entry="sitemap.xml",
    ),
    Site(
        name="revista-carretera",
        title="Revista La Carretera",
        tagline="Crónicas al borde de la Central",
        shape=Shape.WORDPRESS,
        kind=Kind.ARTICLE,
        layout="radio",
        menu=("Inicio", "Crónicas", "Fotos", "Nosotros"),
        heading="Entradas recientes",
        listing="blog/",
        entry="",
    ),
    Site(
        name="agregador-noticias",
        title="Noticias de Ate, agregador",
        tagline="Titulares de los medios del pueblo",
        shape=Shape.NEWS,
        kind=Kind.ARTICLE,
        layout="portal",
        entry="rss/search",
    ),
    Site(
        name="debate-ate",
        title="Debate Ate",
        tagline="Foro abierto de la ciudadanía",
        shape=Shape.DISCOURSE,
        layout="forum",
    ),
    Site(
        name="foro-vitarte",
        title="Vitarte Foros",
        tagline="El foro de toda la vida, desde 2006",
        shape=Shape.FORUM,
        layout="forum",
        entry="viewforum.php?f=2",
    ),
    Site(
        name="masto-lima",
        title="Lima Social",
        tagline="Un servidor pequeño para limeñas y limeños",
        shape=Shape.MASTODON,
        layout="wall",
    ),
    Site(
        name="youtube-ate",
        title="Canal Ate Hoy",
        tagline="Videos de barrio",
        shape=Shape.YOUTUBE,
        layout="wall",
        entry="youtube/v3/",
    ),
    Site(
        name="facebook-ate",
        title="Ate Informa",
        tagline="Página de vecinos",
        shape=Shape.FACEBOOK,
        layout="wall",
    ),
    Site(
        name="x-ate",
        title="Lo que se dice de Ate",
        tagline="Mensajes cortos",
        shape=Shape.X,
        layout="wall",
        entry="2/",
    ),
    Site(
        name="reddit-ate",
        title="r/ateperu",
        tagline="Comunidad de Ate, Lima",
        shape=Shape.REDDIT,
        layout="forum",
    ),
    Site(
        name="telegram-ate",
        title="Ate Informa, canal",
        tagline="Avisos y alertas del barrio",
        shape=Shape.TELEGRAM,
        layout="wall",
    ),
    Site(
        name="participa-ate",
        title="Participa Ate",
        tagline="Propuestas ciudadanas para el presupuesto",
        shape=Shape.DECIDIM,
        layout="desk",
    ),
    Site(
        name="reporta-ate",
        title="Reporta Ate",
        tagline="Incidencias en la vía pública",
        shape=Shape.OPEN311,
        layout="desk",
        entry="open311/v2/",
    ),
    Site(
        name="central-telefonica",
        title="Central telefónica vecinal",
        tagline="Registro de llamadas, exportado a CSV",
        shape=Shape.CSV,
        layout="desk",
        entry="registro.csv",
    ),
    Site(
        name="encuesta-vecinal",
        title="Encuesta vecinal",
        tagline="Respuestas abiertas, exportadas a Excel",
        shape=Shape.XLSX,
        layout="desk",
        entry="respuestas.xlsx",
    ),
)

OUTLETS: Final = {
    "radio": ("radio-huaycan", "revista-carretera"),
    "portal": ("portal-este", "diario-este"),
    "muni": ("muni-noticias",),
    "mercado": ("blog-mercado-ceres", "semanario-quebrada"),
}
"""Between which sources the articles of each outlet are shared out."""

PLACES: Final = {
    "muro": ("muro-vitarte", "muro-huaycan", "facebook-ate", "x-ate", "masto-lima", "telegram-ate"),
    "foro": ("foro-salamanca", "foro-santa-clara", "debate-ate", "foro-vitarte", "reddit-ate"),
    "buzon": (
        "buzon-vecinal",
        "reporta-ate",
        "participa-ate",
        "central-telefonica",
        "encuesta-vecinal",
    ),
}
"""Between which sources the posts of each place are shared out."""

SERVICES: Final = {
    "transport": ("101", "Pistas, veredas y tránsito"),
    "health": ("102", "Salud e higiene"),
    "security": ("103", "Serenazgo"),
    "economy": ("104", "Comercio y mercados"),
    "waste": ("105", "Limpieza pública"),
    "environment": ("106", "Parques y animales"),
    "water": ("107", "Agua y desagüe"),
    "energy": ("108", "Alumbrado y cables"),
    "education": ("109", "Colegios y bibliotecas"),
    "culture": ("110", "Deporte y cultura"),
    "social": ("111", "Programas sociales"),
    "housing": ("112", "Obras y licencias"),
    "governance": ("113", "Trámites y atención"),
    "emergency": ("114", "Defensa civil"),
    "digital": ("115", "Internet y trámites en línea"),
    "other": ("116", "Otras consultas"),
}
"""Code and name of the municipal service that answers for each category."""

_BY_NAME: Final = {each.name: each for each in SITES}


def site(name: str) -> Site:
    """Return the source of that name; an unknown name is a programming error."""
    return _BY_NAME[name]
