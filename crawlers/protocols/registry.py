"""Which adapter reads which protocol."""

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
