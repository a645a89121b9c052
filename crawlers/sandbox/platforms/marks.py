"""What the first page of a platform's site tells of the software that made it."""

from typing import Final

from markupsafe import Markup

from crawlers.sandbox.sites import Shape, Site

_HEADS: Final = {
    Shape.DISCOURSE: Markup(
        '<meta name="generator" content="Discourse 3.4.0 (simulado)">\n'
        '<meta name="discourse-base-uri" content="/{name}">\n'
    ),
    Shape.MASTODON: Markup(
        '<script id="initial-state" type="application/json">'
        '{{"meta":{{"repository":"mastodon/mastodon","domain":"{host}"}}}}</script>\n'
    ),
}
_FEET: Final = {
    Shape.MASTODON: Markup('<div id="mastodon"></div>\n'),
    Shape.DECIDIM: Markup(
        '<p>Sitio simulado a la manera de <a href="https://github.com/decidim/decidim">'
        "Decidim</a>.</p>\n"
    ),
}


def head_of(site: Site) -> Markup:
    """Return the marks for a page's head."""
    return _HEADS.get(site.shape, Markup()).format(name=site.name, host=site.authority)


def foot_of(site: Site) -> Markup:
    """Return the marks for the end of a page."""
    return _FEET.get(site.shape, Markup())
