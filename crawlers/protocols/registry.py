"""Which adapter reads which protocol."""

from configs.schema import Source
from crawlers.protocols.base import Adapter
from crawlers.protocols.decidim import Decidim
from crawlers.protocols.discourse import Discourse
from crawlers.protocols.disqus import Disqus
from crawlers.protocols.facebook import Facebook
from crawlers.protocols.forum import Forum
from crawlers.protocols.mastodon import Mastodon
from crawlers.protocols.open311 import Open311
from crawlers.protocols.reddit import Reddit
from crawlers.protocols.sitemap import Sitemap
from crawlers.protocols.telegram import Telegram
from crawlers.protocols.wordpress import Wordpress
from crawlers.protocols.x import X
from crawlers.protocols.youtube import Youtube
from models.records import Protocol

ADAPTERS: dict[Protocol, type[Adapter]] = {
    Protocol.SITEMAP: Sitemap,
    Protocol.WORDPRESS: Wordpress,
    Protocol.DISCOURSE: Discourse,
    Protocol.DISQUS: Disqus,
    Protocol.FORUM: Forum,
    Protocol.DECIDIM: Decidim,
    Protocol.OPEN311: Open311,
    Protocol.MASTODON: Mastodon,
    Protocol.REDDIT: Reddit,
    Protocol.YOUTUBE: Youtube,
    Protocol.FACEBOOK: Facebook,
    Protocol.X: X,
    Protocol.TELEGRAM: Telegram,
}
"""The protocols that are read through `crawlers.spiders.interface`."""

GRANTED = frozenset(
    {
        Protocol.FACEBOOK,
        Protocol.YOUTUBE,
        Protocol.X,
        Protocol.REDDIT,
        Protocol.MASTODON,
        Protocol.DISQUS,
    }
)
"""The protocols whose token is granted to the operator under the platform's own terms."""


TERMS = "not asked for permission: the platform's own terms hold, by the token that it gave"
"""What a person is told of robots.txt where `is_under_terms`."""


def is_under_terms(source: Source) -> bool:
    """Say whether a source is read under terms that its platform agreed to by giving a token.

    robots.txt is for crawlers, «automatic clients» that follow links (RFC 9309, section 1); who
    was given a token asks an interface by its terms. Pages, feeds and interfaces that are open to
    everybody are read as robots.txt allows.
    """
    return source.token is not None and source.protocol in GRANTED
