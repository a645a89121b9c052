"""Ask a source once, to see whether it can be read; nothing is stored."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from configs.schema import Municipality, Source
from crawlers.protocols.registry import TERMS, is_under_terms
from pipelines.collect import SourceUnreadError, read_source
from pipelines.privacy import mask

_REQUESTS, _SECONDS, _EXAMPLES, _SHOWN = 6, 60, 3, 100


@dataclass(frozen=True, slots=True)
class Seen:
    """What a source answered; the examples are masked and shortened."""

    readable: bool
    verdict: str
    examples: tuple[str, ...] = ()


def probe(municipality: Municipality, source: Source, software_version: str) -> Seen:
    """Read the beginning of a source with a few requests and show its first texts."""
    limits = source.limits.model_copy(update={"max_requests": _REQUESTS, "max_seconds": _SECONDS})
    brief = source.model_copy(update={"limits": limits})
    with TemporaryDirectory(prefix="manifiesta-probe-") as folder:
        try:
            result = read_source(municipality, brief, Path(folder), software_version)
        except SourceUnreadError as error:
            return Seen(readable=False, verdict=str(error))
    undated = sum(record.said_at is None for record in result.extracted)
    verdict = f"{len(result.extracted):,} texts in the first {len(result.captures)} responses"
    if undated:
        verdict += f", {undated:,} without a date"
    if is_under_terms(source):
        verdict += f"; robots.txt is {TERMS}"
    examples = [
        f"{record.said_at.astimezone(municipality.zone):%Y-%m-%d} "
        f"{mask(record.title or record.text)[:_SHOWN]}"
        for record in result.extracted[:_EXAMPLES]
        if record.said_at
    ]
    return Seen(bool(result.extracted), verdict, tuple(examples))
