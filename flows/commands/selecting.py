"""Verbs of the blind selection: from `match publish` to `match reveal`."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Json, as_day, print_json

if TYPE_CHECKING:
    from sqlalchemy import Engine

Call = Annotated[str, typer.Argument(help="Code of the call.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Code of a call or a pilot.")]
Application = Annotated[str, typer.Argument(help="Code of the application, like P-7F3KQ.")]
Official = Annotated[str, typer.Option(help="Code of the assessor.")]
Reason = Annotated[str, typer.Option(help="Why, in a sentence.")]
On = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day; today if not given.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to `manifiesta match`."""
    examples: dict[str, tuple[Callable[..., None], str]] = {
        "calls": (list_calls, "calls"),
        "publish": (publish, "publish ruta-2026"),
        "apply": (apply, "apply ruta-2026 application.yml --attach plan.pdf"),
        "withdraw": (withdraw, "withdraw ruta-2026 P-7F3KQ --reason 'Ya no participa'"),
        "close": (close, "close ruta-2026"),
        "show": (show, "show ruta-2026"),
        "attest": (attest, "attest ruta-2026 --official e-1"),
        "stop": (stop, "stop ruta-2026 --official e-1 --reason 'Dejó el cargo'"),
        "seal": (seal, "seal ruta-2026 scores.json --official e-1 --out sealed.json"),
        "open": (open_scores, "open sealed.json"),
        "select": (select, "select ruta-2026"),
        "reveal": (reveal, "reveal ruta-2026"),
        "identity": (identity, "identity ruta-2026 P-7F3KQ"),
        "interrupt": (interrupt, "interrupt ruta-2026 --reason 'Cambio de gestión'"),
        "hand-over": (hand_over, "hand-over ruta-2026 --out entrega.md"),
        "resume": (resume, "resume ruta-2026"),
    }
    for name, (verb, example) in examples.items():
        app.command(name, epilog=f"Example: manifiesta match {example}")(verb)


def list_calls(as_json: Json = False) -> None:
    """List the calls: their state, their applications, what they wait for."""
    from pipelines.match.read import call_page, calls

    engine = _engine()
    rows = [
        {
            "code": row["code"],
            "kind": row["kind"],
            "state": row["state"],
            "applications": row["applications"],
            "waits_for": call_page(engine, row["code"]).waits_for,
        }
        for row in calls(engine)
    ]
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo("No call yet. `manifiesta match propose` drafts one from what was found.")
    for row in rows:
        typer.echo(
            f"{row['code']}: {row['state']}, {row['applications']} applications. "
            f"Espera {row['waits_for']}."
        )


def publish(call: Call) -> None:
    """Open a drafted call for applications. From now on it can't be changed."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import publish as open_call

    open_call(_engine(), call, actor())
    typer.echo(f"{call} takes applications now.")


def apply(
    call: Call,
    file: Annotated[Path, typer.Argument(help="YAML: applicant, title, text, experience, …")],
    attach: Annotated[
        list[Path] | None, typer.Option(help="A PDF, Word, PowerPoint or text file; repeatable.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Take an application in: redact its texts and attachments, give it a random code."""
    from dataclasses import asdict

    from pipelines.match.blind import apply as take

    taken = take(_engine(), call, file, attach or [])
    if as_json:
        print_json(asdict(taken))
        return
    said = ", ".join(f"{count} {label}" for label, count in taken.removed.items())
    typer.echo(f"Application {taken.code}. Removed from what assessors see: {said or 'nothing'}.")
    typer.echo(f"Read it as they will, before the call closes: manifiesta match show {call}")


def withdraw(call: Call, application: Application, reason: Reason) -> None:
    """Withdraw an application; who handed it in stays hidden for good."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import withdraw as take_back

    take_back(_engine(), call, application, reason, actor())
    typer.echo(f"{application} is withdrawn.")


def close(call: Call) -> None:
    """End applications; the assessment begins. Without any application the call is void."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import close as end

    count = end(_engine(), call, actor())
    if count == 0:
        typer.echo(f"{call} is void: nobody has applied.")
    else:
        typer.echo(f"{count} applications to assess. See them: manifiesta match show {call}")
    if count == 1:
        typer.echo("A single applicant: whoever knows of one knows who it is. See docs.", err=True)


def show(call: Call, as_json: Json = False) -> None:
    """Show the applications under their codes, as assessors see them, and where the call stands."""
    from dataclasses import asdict

    from pipelines.match.noted import told
    from pipelines.match.read import call_page

    page = call_page(_engine(), call)
    if as_json:
        print_json({**asdict(page), "waits_for": page.waits_for})
        return
    typer.echo(f"{call} ({page.call['state']}): {page.call['title']}\n{page.call['problem']}")
    for one in page.applications:
        if one["withdrawn_at"] is not None:
            typer.echo(f"\n== {one['code']}: withdrawn")
            continue
        typer.echo(f"\n== {one['code']}: {one['shown']['title']}\n{one['shown']['text']}")
        typer.echo(f"Experiencia: {one['shown']['experience']}")
        for part in one["attachments"]:
            typer.echo(f"-- anexo-{part['number']} ({part['media']})\n{part['shown']}")
    for assessor in page.assessors:
        where = (
            f"stopped: {assessor.reason}"
            if not assessor.knows_none
            else "opened"
            if assessor.opened
            else f"sealed {assessor.commitment}"
            if assessor.commitment
            else "declared"
        )
        typer.echo(f"\nAssessor {assessor.official}: {where}")
    for row in page.ranking:
        chosen = " CHOSEN" if row["chosen"] else ""
        name = page.identities.get(row["application"], "")
        typer.echo(f"{row['place']}. {row['application']} {row['total']:.2f}{chosen} {name}")
    for note in page.notes:
        typer.echo(told(note))
    typer.echo(f"\nEspera {page.waits_for}.")


def attest(
    call: Call,
    official: Official,
    conflict: Annotated[
        str | None, typer.Option(help="You know an applicant: why. It stops you.")
    ] = None,
) -> None:
    """Declare as an assessor that you don't know who is behind any application, or a conflict."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import attest as declare

    declare(_engine(), call, official, conflict, actor())
    if conflict is None:
        typer.echo(f"Noted: {official} knows none of the applicants. Next: match seal {call}.")
    else:
        typer.echo(f"Noted: {official} has a conflict and does not assess {call}.")


def stop(call: Call, official: Official, reason: Reason) -> None:
    """Leave an assessor aside: a conflict found later, or somebody who doesn't come back."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import stop_assessor

    stop_assessor(_engine(), call, official, reason, actor())
    typer.echo(f"{official} does not assess {call} any more.")


def seal(
    call: Call,
    scores: Annotated[Path, typer.Argument(help="JSON: scores by application and criterion.")],
    official: Official,
    out: Annotated[Path, typer.Option(help="Where to keep scores and salt; show it to nobody.")],
) -> None:
    """Seal your scores: only their hash is stored, and you keep them until all have sealed."""
    import os

    from pipelines.match.blind import read_scores
    from pipelines.match.blind import seal as commit

    engine, wanted = _engine(), read_scores(scores)
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        try:
            sealed = commit(engine, call, official, wanted)
        except BaseException:
            out.unlink()
            raise
        file.write(sealed.model_dump_json(indent=2))
    typer.echo(f"Sealed: {sealed.commitment}")
    typer.echo(f"Keep {out} and show it to nobody. When all have sealed: match open {out}")


def open_scores(
    file: Annotated[Path, typer.Argument(help="What `match seal` gave you to keep.")],
) -> None:
    """Open your sealed scores, once all assessors have sealed."""
    from pipelines.match.blind import read_sealed, unseal

    sealed = read_sealed(file)
    unseal(_engine(), sealed)
    typer.echo(f"The scores of {sealed.official} fit their seal and are stored.")


def select(
    call: Call,
    reason: Annotated[
        str | None, typer.Option(help="Why it goes on with a single applicant.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Close the selection: rank by the opened scores, choose as many as the call has places for."""
    from dataclasses import asdict

    from pipelines.match.blind import select as choose
    from pipelines.match.noted import told

    outcome = choose(_engine(), call, reason)
    if as_json:
        print_json({**asdict(outcome), "chosen": outcome.chosen})
        return
    for one in outcome.ranking:
        chosen = " CHOSEN" if one.chosen else ""
        typer.echo(f"{one.place}. {one.application} {one.total:.2f}{chosen}")
    for note in outcome.notes:
        typer.echo(told(note))
    typer.echo(f"Next: manifiesta match reveal {call}" if outcome.chosen else f"{call} is void.")


def reveal(call: Call, as_json: Json = False) -> None:
    """Turn codes into names: once, and only after the selection is closed."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import reveal as name

    identities = name(_engine(), call, actor())
    if as_json:
        print_json(identities)
        return
    for code, applicant in sorted(identities.items()):
        typer.echo(f"{code}: {applicant}")


def identity(call: Call, application: Application) -> None:
    """Say who is behind an application. Refused before the reveal; every attempt is audited."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import identity as who

    typer.echo(who(_engine(), call, application, actor()))


def interrupt(code: Code, reason: Reason, on: On = None) -> None:
    """Stop a call or a pilot, for a change of government, say."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import interrupt as halt

    halt(_engine(), code, _day(on), reason, actor())
    typer.echo(f"{code} is interrupted. For the new officials: match hand-over {code} --out FILE")


def hand_over(
    code: Code,
    out: Annotated[Path, typer.Option(help="File of the pack, Markdown.")],
    on: On = None,
) -> None:
    """Write the hand-over pack of something interrupted, and note that it was handed over."""
    from pipelines.match.handover import hand_over_pack
    from pipelines.store.audit import actor
    from pipelines.store.selection import hand_over as give

    engine = _engine()
    give(engine, code, _day(on), actor())
    out.write_text(hand_over_pack(engine, code), encoding="utf-8")
    typer.echo(f"Written: {out}")


def resume(code: Code, on: On = None) -> None:
    """Let something that was interrupted and handed over go on where it was."""
    from pipelines.store.audit import actor
    from pipelines.store.selection import resume as go_on

    state = go_on(_engine(), code, _day(on), actor())
    typer.echo(f"{code} goes on: {state}.")


def _day(on: datetime | None) -> date:
    return as_day(on) or datetime.now(UTC).date()


def _engine() -> "Engine":
    from configs.settings import Settings
    from flows.house import open_store

    return open_store(Settings.load()).engine
