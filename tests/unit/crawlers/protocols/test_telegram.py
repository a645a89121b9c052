"""Telegram: preview pages, the page before them, replies, and what the preview leaves out."""

from collections.abc import Callable
from typing import Any

from crawlers.protocols.base import Answer
from crawlers.protocols.telegram import Telegram
from models.records import Kind, Outcome

Make = Callable[..., Any]
Reply = Callable[..., Answer]
CHANNEL = "https://t.me/s/ateinforma"

REPLY = (
    '<a class="tgme_widget_message_reply user-color-2" href="https://t.me/ateinforma/{0}">'
    '<div class="tgme_widget_message_author"><span class="tgme_widget_message_author_name"'
    ' dir="auto">Ate Informa</span></div><div class="tgme_widget_message_text'
    ' js-message_reply_text" dir="auto">El mensaje citado</div></a>'
)
TEXT = '<div class="tgme_widget_message_text js-message_text" dir="auto">{0}</div>'


def message(number: int, inside: str, classes: str = "", extra: str = "") -> str:
    return f"""
<div class="tgme_widget_message_wrap js-widget_message_wrap">
<div class="tgme_widget_message text_not_supported_wrap js-widget_message {classes}"
 data-post="AteInforma/{number}" data-view="eyJj">
<div class="tgme_widget_message_user"><a href="https://t.me/AteInforma"></a></div>
<div class="tgme_widget_message_bubble">
<div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name"
 href="https://t.me/AteInforma"><span dir="auto">Ate Informa</span></a></div>
{inside}
<div class="tgme_widget_message_footer compact js-message_footer">
<div class="tgme_widget_message_info short js-message_info">
<span class="tgme_widget_message_views">1.2K</span><span class="tgme_widget_message_meta">{extra}
<a class="tgme_widget_message_date" href="https://t.me/AteInforma/{number}"><time
 datetime="2026-05-19T13:0{number % 10}:00+00:00" class="time">08:0{number % 10}</time></a></span>
</div></div></div></div></div>"""


def page(*messages: str, before: int | None = None) -> str:
    more = (
        '<div class="tgme_widget_message_centered js-messages_more_wrap"><a'
        f' href="/s/AteInforma?before={before}" class="tme_messages_more js-messages_more"'
        f' data-before="{before}"></a></div>'
        if before
        else ""
    )
    return f"""<!DOCTYPE html><html><head><meta charset="utf-8"><title>Ate Informa</title></head>
<body class="widget_frame_base"><main class="tgme_main"><div class="tgme_channel_info">
<div class="tgme_channel_info_header_title"><span dir="auto">Ate Informa</span></div></div>
<section class="tgme_channel_history js-message_history">{more}{"".join(messages)}</section>
</main></body></html>"""


def html(make_answer: Reply, adapter: Telegram, body: str) -> Answer:
    return make_answer(adapter.start(), body, headers={"content-type": "text/html; charset=utf-8"})


def test_the_channel_is_in_the_address_or_in_the_query(make_source: Make) -> None:
    assert Telegram(make_source("telegram", CHANNEL), CHANNEL, None).start().url == CHANNEL
    named = make_source("telegram", "https://t.me", query="@ateinforma")
    assert Telegram(named, "https://t.me", None).start().url == CHANNEL
    town = make_source("telegram", "http://127.0.0.1:8000/telegram", query="ateinforma")
    url = Telegram(town, "http://127.0.0.1:8000/telegram", None).start().url
    assert url == "http://127.0.0.1:8000/telegram/s/ateinforma"


def test_messages_and_the_page_before(make_source: Make, make_answer: Reply) -> None:
    adapter = Telegram(make_source("telegram", CHANNEL), CHANNEL, None)
    signed = '<span class="tgme_widget_message_from_author" dir="auto">J. Paredes</span>,'
    video = '<time class="message_video_duration js-message_video_duration">0:31</time>'
    body = page(
        message(1, "Channel created", "service_message"),
        message(2, TEXT.format('Corte de agua <b>mañana</b><br/>de 8 a 20 h 💧 <a href="#">+</a>')),
        message(3, video + REPLY.format(2) + TEXT.format("Ya volvió el agua"), extra=signed),
        before=2,
    )
    step = adapter.read(html(make_answer, adapter, body))
    second, first = step.drafts
    assert first.external_id == "AteInforma/2"
    assert first.kind is Kind.POST
    assert first.text == "Corte de agua mañana\nde 8 a 20 h 💧 +"
    assert first.dates == ("2026-05-19T13:02:00+00:00",)
    assert first.author == "AteInforma"
    assert first.url == "https://t.me/AteInforma/2"
    assert second.text == "Ya volvió el agua"
    assert second.dates == ("2026-05-19T13:03:00+00:00",)
    assert (second.parent, second.thread) == ("AteInforma/2", "AteInforma/2")
    assert second.author == "J. Paredes"
    (ask,) = step.asks
    assert (ask.url, ask.needed, ask.older) == (f"{CHANNEL}?before=2", True, True)
    assert adapter.read(html(make_answer, adapter, page())).asks == ()


def test_what_only_the_app_shows_is_counted(make_source: Make, make_answer: Reply) -> None:
    adapter = Telegram(make_source("telegram", CHANNEL), CHANNEL, None)
    hidden = '<div class="message_media_not_supported">Please open Telegram</div>'
    step = adapter.read(html(make_answer, adapter, page(message(4, hidden), message(5, "<i></i>"))))
    assert [(p.outcome, p.where) for p in step.problems] == [(Outcome.NO_TEXT, "AteInforma/4")]
    assert [(d.external_id, d.text) for d in step.drafts] == [("AteInforma/5", "")]


def test_a_channel_without_a_preview(make_source: Make, make_answer: Reply) -> None:
    adapter = Telegram(make_source("telegram", CHANNEL), CHANNEL, None)
    gone = '<html><body><div class="tgme_page"><a href="tg://resolve">@x</a></div></body></html>'
    assert "there is no such channel" in adapter.read(html(make_answer, adapter, gone)).stop
    step = adapter.read(html(make_answer, adapter, ""))
    assert [problem.outcome for problem in step.problems] == [Outcome.UNREADABLE]
    bad = page(message(6, TEXT.format("hola"))).replace("AteInforma/6", "../../etc")
    assert [d.external_id for d in adapter.read(html(make_answer, adapter, bad)).drafts] == [None]
