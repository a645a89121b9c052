"""Telegram: the preview pages of a public channel, twenty messages a page."""

from datetime import UTC

from markupsafe import Markup

from crawlers.sandbox.answers import HTML, Call, Page
from crawlers.sandbox.identity import TELEGRAM_CHANNEL
from crawlers.sandbox.items import Item
from crawlers.sandbox.platforms.base import Base, broken_lines
from crawlers.sandbox.sites import NOTICE

_AT_ONCE = 20
_PAGE = Markup(
    '<!DOCTYPE html>\n<html lang="es"><head><meta charset="utf-8">'
    '<title>{title} – Telegram</title><meta property="og:title" content="{title}">'
    '<meta property="og:description" content="{notice}">{prev}</head>\n'
    '<body class="widget_frame_base tgme_webpreview"><main class="tgme_main">'
    '<div class="tgme_channel_info"><div class="tgme_channel_info_header_title">'
    '<span dir="auto">{title}</span></div>'
    '<div class="tgme_channel_info_description">{notice}</div></div>\n'
    '<section class="tgme_channel_history js-message_history">\n{more}{messages}</section>'
    "</main></body></html>\n"
)
_MESSAGE = Markup(
    '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
    '<div class="tgme_widget_message text_not_supported_wrap js-widget_message"'
    ' data-post="{key}"><div class="tgme_widget_message_bubble">'
    '<div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name"'
    ' href="https://t.me/{channel}"><span dir="auto">{title}</span></a></div>'
    '<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>'
    '<div class="tgme_widget_message_footer compact js-message_footer">'
    '<div class="tgme_widget_message_info short js-message_info">'
    '<span class="tgme_widget_message_views">{views}</span>'
    '<span class="tgme_widget_message_meta">'
    '<span class="tgme_widget_message_from_author" dir="auto">{author}</span>, '
    '<a class="tgme_widget_message_date" href="https://t.me/{key}">'
    '<time datetime="{moment}" class="time">{hour}</time></a></span></div></div>'
    "</div></div></div>\n"
)
_MORE = Markup(
    '<div class="tgme_widget_message_centered js-messages_more_wrap">'
    '<a href="/s/{channel}?before={number}" class="tme_messages_more js-messages_more"'
    ' data-before="{number}"></a></div>\n'
)


class Telegram(Base):
    """One channel whose authors sign."""

    def answer(self, call: Call, rest: str) -> Page | None:
        """Answer a preview page, the newest or the one before a message."""
        if rest != f"s/{TELEGRAM_CHANNEL}":
            return None
        before = call.number("before", 10**12, 0, 10**12)
        after = call.number("after", 0, 0, 10**12)
        kept = [item for item in self.items if after < item.number < before]
        page = kept[-_AT_ONCE:] if after else kept[:_AT_ONCE]
        older = bool(page) and self.items[-1].number < page[-1].number
        return Page(self._page(page, older=older).encode(), HTML)

    def _page(self, page: list[Item], *, older: bool) -> str:
        number = page[-1].number if page else 0
        more = _MORE.format(channel=TELEGRAM_CHANNEL, number=number) if older else ""
        link = Markup('<link rel="prev" href="/s/{}?before={}">').format(TELEGRAM_CHANNEL, number)
        return _PAGE.format(
            title=self.site.title,
            notice=f"{self.site.tagline}. {NOTICE}",
            prev=link if older else "",
            more=more,
            messages=Markup("").join(self._message(item) for item in reversed(page)),
        )

    def _message(self, item: Item) -> Markup:
        return _MESSAGE.format(
            key=item.key,
            channel=TELEGRAM_CHANNEL,
            title=self.site.title,
            text=Markup(broken_lines(item.words)),  # noqa: S704 - its lines are escaped there
            views=100 + item.number * 7 % 900,
            author=item.text.author,
            moment=item.said_at.astimezone(UTC).isoformat(),
            hour=f"{item.said_at:%H:%M}",
        )
