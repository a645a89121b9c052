"""Verbs for those who cite figures: findings, check-figure."""

from enum import StrEnum
from typing import Annotated

import typer

from flows.commands.counting import RunId
from flows.commands.options import Code, Json, print_json


class Language(StrEnum):
    """The languages that findings are told in."""

    ES = "es"
    EN = "en"


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("findings", epilog="Example: manifiesta findings -m ate")(show_findings)
    app.command("check-figure", epilog="Example: manifiesta check-figure --share 35.24 --n 5796")(
        check_figure
    )


def show_findings(
    municipality: Code,
    run_id: RunId = None,
    language: Annotated[Language, typer.Option(help="Of the sentences: es or en.")] = Language.ES,
    lens: Annotated[
        str, typer.Option(help="Code of a lens: what was found among the texts that it shows.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Tell what a run found: alerts, surprises, what emerges, what is relevant, with evidence."""
    from configs.settings import Settings
    from flows.house import open_municipality, open_store
    from models.errors import InputError
    from models.insight_tables import InsightEvidence, InsightFinding, InsightOverview
    from models.labels import EVERYTHING
    from pipelines.store.read import counted_run, insight_frame

    settings = Settings.load()
    place = open_municipality(settings, municipality)
    engine = open_store(settings).engine
    chosen = counted_run(engine, InsightOverview, place.code, run_id)
    seen = set(insight_frame(engine, InsightOverview, chosen)["lens"])
    if lens not in seen:
        known = ", ".join(sorted(seen - {EVERYTHING})) or "none"
        raise InputError(f"Run {chosen} has no lens «{lens}»; it has {known}.")
    findings, evidence = (
        [
            row
            for row in insight_frame(engine, table, chosen).to_dict("records")
            if row["lens"] == lens
        ]
        for table in (InsightFinding, InsightEvidence)
    )
    behind: dict[int, list[dict[str, object]]] = {}
    for row in evidence:
        kept = ("manifestation_id", "role", "source", "said_on", "quote", "url")
        behind.setdefault(int(row["number"]), []).append({name: row[name] for name in kept})
    if as_json:
        names = ("number", "kind", "rule", "subject", "sentence_es", "sentence_en", "statistic")
        told = [
            {name: row[name] for name in names} | {"evidence": behind.get(row["number"], [])}
            for row in findings
        ]
        print_json({"run_id": chosen, "municipality": place.code, "lens": lens, "findings": told})
        return
    typer.echo(f"Run {chosen}: {len(findings)} findings.")
    for row in findings:
        typer.echo(f"\n{row['number']}. [{row['kind']}] {row[f'sentence_{language}']}")
        for witness in behind.get(row["number"], []):
            where = f" {witness['url']}" if witness["url"] else ""
            typer.echo(
                f"   · {witness['said_on']} {witness['source']}: «{witness['quote']}»{where}"
            )


def check_figure(
    shares: Annotated[
        list[str], typer.Option("--share", help="A printed percentage, like 35.24; repeatable.")
    ],
    n: Annotated[int, typer.Option("--n", help="The denominator that it is said to have.")],
    decimals: Annotated[
        int | None,
        typer.Option(
            help="Decimals that were rounded to, where zeros were left out (40 for 40.00)."
        ),
    ] = None,
    parts: Annotated[
        bool, typer.Option("--parts", help="The shares are all the parts of one whole.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say whether printed percentages can be of n, and of which n they can be. Exit 1: they can't.

    Rounding half up and half to even decide; truncation is shown beside them.
    """
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from pipelines.figures import Printed, Rounding, check

    printed = [Printed.read(share, decimals) for share in shares]
    verdicts = check(printed, n, parts=parts)
    fits = any(v.fits for v in verdicts if v.rounding is not Rounding.TRUNCATION)
    named = " + ".join(f"{share.text} %" for share in printed)
    if as_json:
        print_json(
            {
                "shares": [s.text for s in printed],
                "n": n,
                "parts": parts,
                "fits": fits,
                "roundings": [asdict(verdict) for verdict in verdicts],
            }
        )
        raise typer.Exit(0 if fits else 1)
    table = Table(title=f"{named} of {n:,}: {'possible' if fits else 'impossible by rounding'}")
    table.add_column("rounding", no_wrap=True)
    for name in ("fits", *(f"{s.text} % is" for s in printed), "smallest n", "other n near"):
        table.add_column(name)
    for v in verdicts:
        counts = ("no count" if c is None else _span(*c) for c in v.counts)
        near = " and ".join(f"{n:,}" for n in (v.below, v.above) if n is not None)
        smallest = "none" if v.smallest is None else f"{v.smallest:,}"
        table.add_row(v.rounding, "yes" if v.fits else "no", *counts, smallest, near)
    Console().print(table)
    raise typer.Exit(0 if fits else 1)


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
