"""Logs for people or, with ``MANIFIESTA_LOGS=json``, one JSON object a line for a program.

What citizens wrote is never logged above DEBUG: of an exception only its kind and place are
told, because its message may quote what it met.
"""

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime

from models.errors import ConfigError, ManifiestaError

_OURS = ("flows", "dashboard", "pipelines", "crawlers", "nlp")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and what a call adds."""

    _plain = frozenset(vars(logging.makeLogRecord({})))

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        added = {
            key: value
            for key, value in vars(record).items()
            if key not in self._plain and key not in ("message", "asctime")
        }
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **added,
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def describe(error: BaseException) -> str:
    """Name an exception and where it was raised; only our own say more, and quote nobody."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    told = f": {error}" if isinstance(error, ManifiestaError) else ""
    return f"{type(error).__name__}{where}{told}"


def set_up_logs() -> None:
    """Set logging up as the environment asks; without a word only warnings are shown.

    Raises:
        ConfigError: ``MANIFIESTA_LOGS`` or ``MANIFIESTA_LOG_LEVEL`` holds what it may not.
    """
    form = os.environ.get("MANIFIESTA_LOGS", "text")
    level = os.environ.get("MANIFIESTA_LOG_LEVEL", "INFO" if form == "json" else "WARNING")
    if form not in ("text", "json"):
        raise ConfigError(f"MANIFIESTA_LOGS is «{form}»; write text or json.")
    if level not in _LEVELS:
        raise ConfigError(f"MANIFIESTA_LOG_LEVEL is «{level}»; write {', '.join(_LEVELS)}.")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonLines() if form == "json" else logging.Formatter("%(levelname)s %(name)s: %(message)s")
    )
    for name in _OURS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
