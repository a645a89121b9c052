"""Whether a browser is at hand; nothing here needs one, or Scrapy."""

import shutil
from importlib.util import find_spec

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the path of the system's Chromium; without one, Playwright's own is tried."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


def what_is_missing() -> str | None:
    """Say what has to be installed before pages can be rendered; nothing if all is there."""
    if find_spec("scrapy_playwright") is None:
        return (
            "«render: browser» needs the optional browser: pip install 'manifiesta[browser]', and"
            " a Chromium (apt-get install chromium, or playwright install chromium)"
        )
    return None
