"""Addresses behind the redirects of aggregators."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawlers.extract.unwrap import unwrap


def google_news(address: str, path: str = "rss/articles") -> str:
    """Return a link as Google News wrote it until 2024."""
    data = address.encode()
    size = len(data)
    length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
    message = b"\x08\x13\x22" + length + data + b"\xd2\x01\x00"
    code = urlsafe_b64encode(message).decode().rstrip("=")
    return f"https://news.google.com/{path}/{code}?oc=5"


@given(st.text("abcdefghij-/.0123456789?=&%", min_size=1, max_size=900))
def test_what_google_news_wrote_into_its_links_is_read(path: str) -> None:
    address = f"https://medio.example/{path}"
    assert unwrap(google_news(address)) == address
    assert unwrap(google_news(address, "articles")) == address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://www.google.com/url?sa=t&url=https://a.example/1&ct=ga", "https://a.example/1"),
        ("https://www.google.com/url?q=http%3A%2F%2Fa.example%2F2", "http://a.example/2"),
        (
            "http://www.bing.com/news/apiclick.aspx?ref=x&url=https%3a%2f%2fa.example%2f3&c=1",
            "https://a.example/3",
        ),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fa.example&h=1", "https://a.example"),
    ],
)
def test_redirects_that_carry_an_address(url: str, address: str) -> None:
    assert unwrap(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/url?url=https://b.example/",
        "https://www.google.com/search?q=https://b.example/",
        "https://www.google.com/url?url=javascript:alert(1)",
        "https://www.google.com/url?url=file:///etc/passwd",
        "https://news.google.com/rss/articles/CBMiX0FVX3lxTFBub3QtYW4tYWRkcmVzcy1idXQ?oc=5",
        "https://news.google.com/rss/articles/%%%",
        "http://[",
        "",
    ],
)
def test_others_stay_as_they_are(url: str) -> None:
    assert unwrap(url) == url


@given(st.binary(max_size=300))
def test_any_message_gives_an_address_or_the_link_itself(message: bytes) -> None:
    link = f"https://news.google.com/rss/articles/{urlsafe_b64encode(message).decode()}"
    assert unwrap(link).startswith(("http://", "https://"))
