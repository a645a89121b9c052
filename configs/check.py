"""Every problem of a configuration file at once: its line, and what to write instead."""

import re
import socket
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from cssselect import SelectorError
from cssselect import parse as parse_selector
from pydantic import BaseModel, ValidationError

from configs.calendar import has_holidays
from configs.document import Document, Route, UnreadableError, read_document
from configs.explain import example, explain, one_of, short
from configs.schema import Municipality, Taxonomy, is_web_address
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Protocol

Schema = TypeVar("Schema", bound=BaseModel)

_LOCAL: Final = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa")
_UPLOAD_ONLY: Final = ("columns", "format")
_WEB_ONLY: Final = (
    *("url", "links", "follow", "comments", "revisit_days", "poll", "expect", "render"),
)
_INTERFACE: Final = (*_UPLOAD_ONLY, "links", "follow", "match", "render")
"""Keys that mean nothing where a platform's own interface is read."""

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    Protocol.FEED: ("url",),
    Protocol.PAGES: ("url",),
    Protocol.SITEMAP: ("url",),
    Protocol.WORDPRESS: ("url",),
    Protocol.DISCOURSE: ("url",),
    Protocol.DISQUS: ("url",),
    Protocol.FORUM: ("url",),
    Protocol.MASTODON: ("url",),
    Protocol.REDDIT: ("url", "query"),
    Protocol.YOUTUBE: ("url", "query", "token"),
    Protocol.FACEBOOK: ("url", "query", "token"),
    Protocol.X: ("url", "query", "token"),
    Protocol.TELEGRAM: ("url",),
    Protocol.DECIDIM: ("url",),
    Protocol.OPEN311: ("url",),
}
_UNUSED: Final[Mapping[str, tuple[str, ...]]] = {
    Protocol.UPLOAD: (*_WEB_ONLY, "match", "query", "token"),
    Protocol.FEED: (*_UPLOAD_ONLY, "links", "match", "query", "token"),
    Protocol.PAGES: (*_UPLOAD_ONLY, "match", "query", "token"),
    Protocol.SITEMAP: (*_UPLOAD_ONLY, "links", "query", "token", "render"),
    Protocol.WORDPRESS: _INTERFACE,
    Protocol.DISCOURSE: _INTERFACE,
    Protocol.DISQUS: (*_INTERFACE, "comments", "kind"),  # it holds comments alone
    Protocol.FORUM: (*_UPLOAD_ONLY, "follow", "query", "token", "render"),
    Protocol.MASTODON: _INTERFACE,
    Protocol.REDDIT: _INTERFACE,
    Protocol.YOUTUBE: _INTERFACE,
    Protocol.FACEBOOK: _INTERFACE,
    Protocol.X: _INTERFACE,
    Protocol.TELEGRAM: (*_INTERFACE, "comments", "token"),  # preview pages show no comments
    Protocol.DECIDIM: _INTERFACE,
    Protocol.OPEN311: (*_INTERFACE, "comments"),
}
_SECRETS: Final = ("access_token", "api_key", "apikey", "appsecret_proof", "key", "token")
"""Parameters of an address that platforms take a token from."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file. A warning does not keep the file from being used."""

    file: str
    line: int
    path: str
    message: str
    advice: str
    warning: bool = False

    def __str__(self) -> str:
        mark = "warning: " if self.warning else ""
        place = f"{self.path}: " if self.path else ""
        return _plain(f"{self.file}:{self.line}: {mark}{place}{self.message}; {self.advice}")


class Report:
    """A document under examination, and what was found in it."""

    def __init__(self, path: Path, document: Document) -> None:
        self.path = path
        self.document = document
        self.problems: list[Problem] = []

    def add(self, route: Route, message: str, advice: str, *, warning: bool = False) -> None:
        """Note a problem at a key or value."""
        line = self.document.line(route)
        self.problems.append(
            Problem(shown(self.path), line, _dotted(route), message, advice, warning)
        )

    def items(self, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Go through the entries of a top-level list that are mappings."""
        value = self.document.at((key,))
        for index, item in enumerate(value if isinstance(value, list) else ()):
            if isinstance(item, dict):
                yield index, item

    def sorted(self) -> list[Problem]:
        """Return what was found, in the order of the file."""
        return sorted(dict.fromkeys(self.problems), key=lambda p: (p.line, p.path))


def check_file(path: Path) -> list[Problem]:
    """Find every problem of a municipality's file; never raises for what the file holds."""
    return read_municipality(path)[1]


def check_taxonomy(path: Path) -> list[Problem]:
    """Find every problem of a taxonomy file; never raises for what the file holds."""
    return read_taxonomy(path)[1]


def read_municipality(path: Path) -> tuple[Municipality | None, list[Problem]]:
    """Read a municipality's file: the municipality if it has no errors, and its problems."""
    return read_as(path, Municipality, _MUNICIPALITY_RULES)


def read_taxonomy(path: Path) -> tuple[Taxonomy | None, list[Problem]]:
    """Read a taxonomy file: the taxonomy if it has no errors, and its problems."""
    return read_as(path, Taxonomy, _TAXONOMY_RULES)


def shown(path: Path) -> str:
    """Return a path as a person in the current folder would write it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_as(
    path: Path, schema: type[Schema], rules: Sequence[Callable[[Report], None]]
) -> tuple[Schema | None, list[Problem]]:
    """Read a YAML or JSON file as a schema wants it, with every problem of it."""
    try:
        document = read_document(path)
    except UnreadableError as error:
        return None, [Problem(shown(path), error.line, "", error.message, error.advice)]
    return examine(path, document, schema, rules)


def examine(
    path: Path,
    document: Document,
    schema: type[Schema],
    rules: Sequence[Callable[[Report], None]],
) -> tuple[Schema | None, list[Problem]]:
    """Hold a document against a schema and rules: what it is without errors, and its problems."""
    report = Report(path, document)
    report.problems += [
        Problem(shown(path), f.line, _dotted(f.route), f.message, f.advice) for f in document.faults
    ]
    result = _validate(report, schema)
    for rule in rules:
        rule(report)
    if any(not problem.warning for problem in report.problems):
        return None, report.sorted()
    if result is None:  # a rule of the schema that no sentence here speaks of
        report.add((), f"this is no valid {schema.__name__.lower()}", "compare with a shipped file")
    return result, report.sorted()


def _validate(report: Report, schema: type[Schema]) -> Schema | None:
    if not isinstance(report.document.value, dict):
        report.add((), "the file must be made of keys", "write «key: value» lines")
        return None
    try:
        return schema.model_validate(report.document.value)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    for finding in explain(report.document, schema, errors):
        report.add(finding.route, finding.message, finding.advice)
    return None


def _dotted(route: Route) -> str:
    parts = (f"[{p}]" if isinstance(p, int) else f".{short(p)}" for p in route)
    return "".join(parts).removeprefix(".")


def _plain(text: str) -> str:
    """Keep a message in one line, whatever it quotes, and free of terminal codes."""
    return "".join(c if c.isprintable() else " " for c in text)


# --- what no schema sees: how the parts of a municipality fit together -----------------------


_NAMED: Final = (
    ("sources", "name"),
    ("zones", "code"),
    ("landmarks", "name"),
    ("areas", "name"),
    ("lenses", "code"),
)


def _names_once(report: Report) -> None:
    for part, key in _NAMED:
        first: dict[str, int] = {}
        for index, item in report.items(part):
            name = item.get(key)
            if not isinstance(name, str):
                continue
            route: Route = (part, index, key)
            if name in first:
                line = report.document.line((part, first[name], key))
                message = f"«{short(name)}» is used already, in line {line}"
                report.add(route, message, "give each its own, or remove one")
            else:
                first[name] = index


def _base_address(report: Report) -> None:
    base = report.document.at(("base_url",))
    if isinstance(base, str):
        _absolute(report, ("base_url",), base)


def _addresses(report: Report) -> None:
    base = report.document.at(("base_url",))
    for index, source in report.items("sources"):
        url = source.get("url")
        if source.get("protocol") == Protocol.UPLOAD or not isinstance(url, str) or not url.strip():
            continue
        route: Route = ("sources", index, "url")
        if is_relative(url):
            if not isinstance(base, str):
                report.add(route, *_no_base(url))
                continue
            reached = base
        elif _absolute(report, route, url):
            reached = url
        else:
            continue
        if source.get("allow_private") is not True and is_private(reached):
            report.add(
                route,
                "a private or loopback address",
                "write a public one, or allow_private: true if it is your own server",
            )


def _no_base(url: str) -> tuple[str, str]:
    if re.match(r"[\w-]+(\.[\w-]+)+(/|$)", url):
        return "an address without its beginning", f"write https://{short(url)}"
    return "a relative address, and the file has no base_url", "write the whole address, https://…"


def is_relative(url: str) -> bool:
    """Say whether an address is to be joined to the municipality's ``base_url``."""
    return not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", url)


def _absolute(report: Report, route: Route, url: str) -> bool:
    """Report whatever makes an absolute address useless; say whether it is fine."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
        parts = urlsplit("https:")
    if not usable or not is_web_address(url) or re.search(r"\s", url):
        report.add(route, "no http or https address", "write it whole: https://example.pe/feed")
        return False
    if parts.username is not None or parts.password is not None:
        report.add(route, "a user name or password in an address", "sources are public: remove it")
        return False
    return True


def is_private(url: str) -> bool:
    """Say whether an address leads, by its spelling alone, to this or a private network."""
    try:
        host = unicodedata.normalize("NFKC", urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return False
    if address := _ip(host):
        return not address.is_global or address.is_multicast
    return "." not in host or host.endswith(_LOCAL)


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        try:  # the short, octal and decimal spellings that clients accept: 127.1, 2130706433
            return IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _uses(report: Report) -> None:
    """Report keys that a source's protocol needs, and keys that it would ignore."""
    for index, source in report.items("sources"):
        protocol = source.get("protocol")
        for key in _keys(_NEEDED, protocol):
            if source.get(key) is None:
                report.add(
                    ("sources", index, key),
                    f"a source that reads «{protocol}» needs this key",
                    f"write {example((key,))}",
                )
        for key in _keys(_UNUSED, protocol):
            if source.get(key):
                report.add(
                    ("sources", index, key),
                    f"means nothing for «{protocol}»",
                    "remove the line, or correct the protocol",
                )


def _keys(table: Mapping[str, tuple[str, ...]], protocol: Any) -> tuple[str, ...]:
    return table.get(protocol, ()) if isinstance(protocol, str) else ()


def _interfaces(report: Report) -> None:
    """Report a channel that is nowhere named, and a token that stands in an address."""
    for index, source in report.items("sources"):
        url = source.get("url")
        if not isinstance(url, str):
            continue
        is_telegram = source.get("protocol") == Protocol.TELEGRAM
        if is_telegram and not source.get("query") and not re.search(r"/s/[^/?#]+", url):
            advice = "write url: https://t.me/s/CHANNEL, or the channel in «query»"
            report.add(("sources", index, "url"), "it names no channel", advice)
        is_disqus = source.get("protocol") == Protocol.DISQUS
        if is_disqus and not source.get("query") and not _path(url).endswith("listPosts.json"):
            advice = "write the forum's short name in «query», or the address of a list in «url»"
            report.add(("sources", index, "query"), "it names no forum", advice)
        named = {part.partition("=")[0].lower() for part in _query(url).split("&")}
        if named & set(_SECRETS) and source.get("protocol") not in (Protocol.FEED, Protocol.PAGES):
            report.add(
                ("sources", index, "url"),
                "a token in an address would be written into logs and archives",
                "set it in an environment variable, and write that variable's name in «token»",
            )


def _query(url: str) -> str:
    return url.partition("#")[0].partition("?")[2]


def _path(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _selectors(report: Report) -> None:
    for index, source in report.items("sources"):
        links = source.get("links")
        if not isinstance(links, str):
            continue
        try:
            parse_selector(links)
        except SelectorError:
            report.add(
                ("sources", index, "links"), "no CSS selector", f"write {example(('links',))}"
            )


def _responsibilities(report: Report) -> None:
    answered: set[str] = {"other"}
    for index, area in report.items("areas"):
        codes = area.get("categories")
        for position, code in enumerate(codes if isinstance(codes, list) else ()):
            if code in CATEGORIES:
                answered.add(code)
            elif isinstance(code, str):
                route = ("areas", index, "categories", position)
                report.add(route, *one_of(code, CATEGORIES))
    if missing := [code for code in CATEGORIES if code not in answered]:
        report.add(
            ("areas",),
            f"no area answers for {', '.join(missing)}",
            "add each to the «categories» of an area",
            warning=True,
        )


def _answer_times(report: Report) -> None:
    """Report working days of nothing, of no country, and areas that answer whenever they like."""
    country = report.document.at(("country",))
    for index, area in report.items("areas"):
        if area.get("working_days") is True:
            if area.get("answer_days") is None:
                report.add(
                    ("areas", index, "working_days"),
                    "says how days are counted, and there are none",
                    f"write {example(('answer_days',))} too, or remove the line",
                )
            elif _is_code(country) and not has_holidays(str(country)):
                report.add(
                    ("areas", index, "working_days"),
                    f"the public holidays of {short(country)} are not known",
                    "remove the line: days of the calendar are counted",
                )


def _is_code(country: object) -> bool:
    return isinstance(country, str) and re.fullmatch("[A-Z]{2}", country) is not None


def _lens_categories(report: Report) -> None:
    for index, lens in report.items("lenses"):
        codes = lens.get("categories")
        for position, code in enumerate(codes if isinstance(codes, list) else ()):
            if isinstance(code, str) and code not in CATEGORIES:
                report.add(("lenses", index, "categories", position), *one_of(code, CATEGORIES))


def _landmark_zones(report: Report) -> None:
    codes = [zone.get("code") for _, zone in report.items("zones")]
    known = [code for code in codes if isinstance(code, str)]
    for index, landmark in report.items("landmarks"):
        named = landmark.get("zones")
        for at, code in enumerate(named if isinstance(named, list) else ()):
            _zone_exists(report, ("landmarks", index, "zones", at), code, known)
        stretches = landmark.get("stretches")
        for at, stretch in enumerate(stretches if isinstance(stretches, list) else ()):
            if isinstance(stretch, dict) and "zone" in stretch:
                route: Route = ("landmarks", index, "stretches", at, "zone")
                _zone_exists(report, route, stretch["zone"], known)


def _zone_exists(report: Report, route: Route, code: Any, known: Sequence[str]) -> None:
    if isinstance(code, str) and code not in known:
        report.add(route, *one_of(code, known))


def _own_name(report: Report) -> None:
    code = report.document.at(("code",))
    if isinstance(code, str) and report.path.stem != code:
        report.add(
            ("code",),
            f"the file is named «{report.path.name}»",
            f"name it «{short(code)}.yml», or write code: {short(report.path.stem)}",
        )


def _any_enabled(report: Report) -> None:
    sources = [source for _, source in report.items("sources")]
    if sources and all(source.get("enabled") is False for source in sources):
        report.add(("sources",), "no source is enabled", "write enabled: true", warning=True)


_MUNICIPALITY_RULES: Final = (
    _names_once,
    _base_address,
    _addresses,
    _uses,
    _interfaces,
    _selectors,
    _responsibilities,
    _answer_times,
    _lens_categories,
    _landmark_zones,
    _own_name,
    _any_enabled,
)


# --- the taxonomy ----------------------------------------------------------------------------


def _complete_categories(report: Report) -> None:
    codes = [item.get("code") for _, item in report.items("categories")]
    if not codes:
        return
    for index, code in enumerate(codes):
        route: Route = ("categories", index, "code")
        if isinstance(code, str) and code not in CATEGORIES:
            report.add(route, *one_of(code, CATEGORIES))
        elif isinstance(code, str) and code in codes[:index]:
            report.add(route, f"«{code}» is there twice", "keep one of the two")
    if missing := [code for code in CATEGORIES if code not in codes]:
        report.add(("categories",), f"missing: {', '.join(missing)}", "add them in this order")
    known = [code for code in codes if code in CATEGORIES]
    if len(set(known)) == len(known) and known != [c for c in CATEGORIES if c in known]:
        report.add(("categories",), "not in the order of the model's outputs", _in_order())


def _in_order() -> str:
    return f"the order is {', '.join(CATEGORIES)}"


def _complete_names(report: Report) -> None:
    wanted = {
        "sentiments": SENTIMENTS,
        "intents": INTENTS,
        "work_categories": tuple(str(n) for n in range(1, 10)),
    }
    for part, codes in wanted.items():
        given = report.document.at((part,))
        if not isinstance(given, dict):
            continue
        for code in given:
            if code not in codes:
                report.add((part, code), *one_of(code, codes))
        if missing := [code for code in codes if code not in given]:
            example = f"write «{missing[0]}: {{es: …, en: …}}»"
            report.add((part,), f"missing: {', '.join(missing)}", example)


def _mapped(report: Report) -> None:
    for index, item in report.items("categories"):
        if item.get("code") in CATEGORIES[:-1] and item.get("work_category") is None:
            report.add(
                ("categories", index),
                "feeds no work category, so no demand reaches the matchmaking",
                f"write {example(('work_category',))}",
                warning=True,
            )


_TAXONOMY_RULES: Final = (
    _complete_categories,
    _complete_names,
    _mapped,
    _names_once,
    _lens_categories,
)
