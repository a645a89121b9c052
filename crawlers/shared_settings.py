"""Scrapy's settings, made once before the fork and copied by a crawl without their values."""

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from scrapy.settings import BaseSettings, Settings, SettingsAttribute

_Some = TypeVar("_Some", bound=BaseSettings)


class SharedSettings(Settings):
    """Settings whose copies share the values: Scrapy replaces a setting and changes none in place.

    Scrapy copies all of them four times at the start of a crawl, value by value, which took as
    long as reading a small feed.
    """

    def copy(self) -> Self:
        """Return settings that can be set apart from these."""
        return _copy(self)


def _copy(settings: _Some) -> _Some:
    found: _Some = object.__new__(type(settings))
    found.frozen = False
    found.attributes = {
        name: SettingsAttribute(_value(one.value), one.priority)
        for name, one in settings.attributes.items()
    }
    return found


def _value(value: Any) -> Any:
    return _copy(value) if isinstance(value, BaseSettings) else value


_DEFAULTS = SharedSettings()


def with_defaults(settings: Mapping[str, Any]) -> SharedSettings:
    """Return Scrapy's own settings with those of a crawl above them."""
    found = _DEFAULTS.copy()
    found.setdict(settings, "project")
    return found
