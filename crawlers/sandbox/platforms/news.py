"""An aggregator like Google News: headlines in RSS, each with its medium, linking to it."""

from datetime import UTC
from email.utils import format_datetime

from markupsafe import Markup

from crawlers.sandbox.answers import XML, Call, Page
from crawlers.sandbox.platforms.base import Base
from crawlers.sandbox.sites import NOTICE, site
from crawlers.sandbox.templating import ENVIRONMENT

_HEADLINE = Markup('<a href="{}" target="_blank">{}</a>&nbsp;&nbsp;<font color="#6f6f6f">{}</font>')


class News(Base):
    """The headlines of the town's own media."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer a search or the front page, as a feed."""
        if rest not in {"rss/search", "rss"}:
            return None
        text = ENVIRONMENT.get_template("news.rss").render(
            site=self.site,
            items=[(item, site(item.via or self.site.name)) for item in self.items],
            words=call.first("q") or "Ate",
            base_url=call.base_url,
            changed=max((item.said_at for item in self.items), default=None),
            notice=NOTICE,
            headline=headline,
            gmt=lambda moment: format_datetime(moment.astimezone(UTC), usegmt=True),
        )
        return Page(text.encode(), XML)


def headline(link: str, title: str, outlet: str) -> Markup:
    """Return the linked headline that stands in the place of a description."""
    return _HEADLINE.format(link, title, outlet)
