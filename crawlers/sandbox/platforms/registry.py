"""Which platform answers for a source of which shape."""

from typing import Final

from crawlers.sandbox.platforms.base import Platform
from crawlers.sandbox.platforms.decidim import Decidim
from crawlers.sandbox.platforms.discourse import Discourse
from crawlers.sandbox.platforms.disqus import Disqus
from crawlers.sandbox.platforms.facebook import Facebook
from crawlers.sandbox.platforms.forum import Forum
from crawlers.sandbox.platforms.mastodon import Mastodon
from crawlers.sandbox.platforms.news import News
from crawlers.sandbox.platforms.open311 import Open311
from crawlers.sandbox.platforms.reddit import Reddit
from crawlers.sandbox.platforms.sitemap import Sitemap
from crawlers.sandbox.platforms.telegram import Telegram
from crawlers.sandbox.platforms.uploads import Csv, Xlsx
from crawlers.sandbox.platforms.wordpress import Wordpress
from crawlers.sandbox.platforms.x import X
from crawlers.sandbox.platforms.youtube import Youtube
from crawlers.sandbox.sites import Shape

PLATFORMS: Final[dict[Shape, type[Platform]]] = {
    Shape.PAGES: Disqus,
    Shape.SITEMAP: Sitemap,
    Shape.WORDPRESS: Wordpress,
    Shape.NEWS: News,
    Shape.DISCOURSE: Discourse,
    Shape.FORUM: Forum,
    Shape.MASTODON: Mastodon,
    Shape.YOUTUBE: Youtube,
    Shape.FACEBOOK: Facebook,
    Shape.X: X,
    Shape.REDDIT: Reddit,
    Shape.TELEGRAM: Telegram,
    Shape.DECIDIM: Decidim,
    Shape.OPEN311: Open311,
    Shape.CSV: Csv,
    Shape.XLSX: Xlsx,
}
