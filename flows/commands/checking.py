"""The verb `sources check`: look at a configured source, or at any address."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Json, print_json
from models.errors import ConfigError

if TYPE_CHECKING:
    from configs.schema import Municipality
    from pipelines.checking import Checked
    from pipelines.probe import Seen

EXIT_UNREAD = 3


def check_sources(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[URL|NAME]...",
            help="Addresses, or names of the municipality's sources; all of them if not given.",
            show_default=False,
        ),
    ] = None,
    municipality: Annotated[
        str | None,
        typer.Option(
            "--municipality",
            "-m",
            help="Code of a municipality, or the path of its file; an address needs none.",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(help="Read relative source addresses from this server.")
    ] = None,
    allow_private: Annotated[
        bool,
        typer.Option("--allow-private", help="Let an address lead to this machine or network."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Look at an address, or ask configured sources once; nothing is stored.

    Of an address it says how it can be read, shows the first texts, and prints the source to
    paste into a municipality's file.
    """
    from configs.settings import Settings
    from flows.house import open_municipality

    place = None
    if municipality is not None:
        place = open_municipality(Settings.load(), municipality, base_url)
    addresses = [target for target in targets or () if _is_address(target)]
    names = [target for target in targets or () if not _is_address(target)]
    if place is None and (names or not addresses):
        raise ConfigError(
            "name an address, such as https://example.pe/feed, or a municipality with -m and, if"
            " you like, some of its sources"
        )
    looks = _look_at(addresses, place, allow_private=allow_private, as_json=as_json)
    asks = [] if place is None or (addresses and not names) else _ask(place, names, as_json=as_json)
    if as_json:
        print_json(looks + asks)
    readable = [row["readable"] for row in looks + asks]
    raise typer.Exit(0 if all(readable) else EXIT_UNREAD)


def _is_address(target: str) -> bool:
    """Tell an address from a name, which has neither dots, slashes nor colons."""
    return any(mark in target for mark in "./:")


def _look_at(
    addresses: list[str], place: "Municipality | None", *, allow_private: bool, as_json: bool
) -> list[dict[str, object]]:
    from flows.house import SOFTWARE_VERSION
    from pipelines.checking import check_url

    rows = []
    for address in addresses:
        seen = check_url(address, place, SOFTWARE_VERSION, allow_private=allow_private)
        if not as_json:
            _show(seen)
        rows.append(seen.as_json())
    return rows


def _ask(place: "Municipality", names: list[str], *, as_json: bool) -> list[dict[str, object]]:
    from flows.house import SOFTWARE_VERSION
    from pipelines.probe import probe

    known = {source.name: source for source in place.sources if source.url}
    for name in names:
        if name not in known:
            raise ConfigError(f"{place.code} has no source «{name}» to ask: {', '.join(known)}")
    rows: list[dict[str, object]] = []
    for name in names or known:
        seen = probe(place, known[name], SOFTWARE_VERSION)
        if not as_json:
            _show_source(name, seen)
        rows.append(
            {
                "name": name,
                "readable": seen.readable,
                "verdict": seen.verdict,
                "examples": list(seen.examples),
            }
        )
    return rows


def _show_source(name: str, seen: "Seen") -> None:
    typer.echo(f"{'✓' if seen.readable else '✗'} {name}: {seen.verdict}")
    for text in seen.examples:
        typer.echo(f"    {text}")


def _show(seen: "Checked") -> None:
    typer.echo(f"{'✓' if seen.is_readable else '✗'} {_line(seen.url)}")
    best = seen.proposal
    facts = (
        ("robots.txt", seen.robots),
        ("answer", seen.answer),
        ("protocol", f"{best.protocol}: {best.why}" if best else ""),
        ("note", best.note if best else ""),
        ("problem", seen.problem),
        ("what to do", seen.advice),
    )
    for name, said in facts:
        if said:
            typer.echo(f"  {name:11} {_line(said)}")
    for other in seen.others:
        typer.echo(f"  {'or':11} {other.protocol}: {_line(other.url)} ({_line(other.why)})")
    for example in seen.examples:
        who = example.author or "no author"
        mark = "↳" if example.is_answer else "·"
        said = f"{example.title}: {example.text}" if example.title else example.text
        typer.echo(f"  {mark} {example.said_at} {who} {_line(said)}")
    if seen.yaml:
        typer.echo("Paste below «sources:» in your municipality's file:")
        typer.echo("")
        typer.echo(seen.yaml)


def _line(text: str) -> str:
    """Return text from outside on one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
