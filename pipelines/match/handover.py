"""The hand-over pack of an interrupted call or pilot: what new officials must know to go on."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Engine

from models.errors import InputError
from pipelines.match.read import CallPage, Row, call_page, of_pilot, pilot_of
from pipelines.store.audit import verify
from pipelines.store.calls import all_calls, interruptions_of
from pipelines.store.records import stored


def hand_over_pack(engine: Engine, code: str) -> str:
    """Return the pack as Markdown in Spanish; nobody behind a code is named before the reveal.

    Raises:
        InputError: there is no call or pilot of that code.
    """
    is_call = code in [call["code"] for call in all_calls(engine)]
    if not is_call and code not in [pilot["code"] for pilot in stored(engine, "pilot")]:
        raise InputError(f"There is no call and no pilot «{code}».")
    body = _call(call_page(engine, code)) if is_call else _pilot(engine, code)
    chain = verify(engine)
    audit = (
        f"{chain.events} actos registrados, cadena íntegra. Último resumen: `{chain.head}`."
        if chain.whole
        else f"**La cadena de auditoría está rota en el acto {chain.broken}: {chain.why}.**"
    )
    return "\n".join(
        [
            f"# Entrega de «{code}» a los nuevos funcionarios",
            "",
            *_stops(interruptions_of(engine, code)),
            "",
            *body,
            "",
            "## Registro de auditoría",
            "",
            audit,
            "Compruébelo con `manifiesta match verify` antes de continuar.",
            "",
            f"Para continuar: `manifiesta match resume {code} --on AAAA-MM-DD`.",
            "",
        ]
    )


def _stops(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return ["No hay ninguna interrupción registrada."]
    return [
        f"Interrumpido el {row['stopped_on']}. Motivo: {row['reason']}"
        + (f" Entregado el {row['handed_over_on']}." if row["handed_over_on"] else "")
        + (f" Retomado el {row['resumed_on']}." if row["resumed_on"] else "")
        for row in rows
    ]


def _call(page: CallPage) -> list[str]:
    call, waiting = page.call, [one for one in page.applications if one["withdrawn_at"] is None]
    lines = [
        f"## Convocatoria: {call['title']}",
        "",
        str(call["problem"]),
        "",
        f"- Estado: {call['state']}; se elige a {call['places']} como máximo.",
        f"- Postulaciones en pie: {len(waiting)}; "
        f"retiradas: {len(page.applications) - len(waiting)}.",
        *(
            f"- Evaluador {one.official}: "
            + (
                f"apartado ({one.reason})"
                if not one.knows_none
                else "puntajes abiertos"
                if one.opened
                else f"puntajes sellados, compromiso `{one.commitment}`"
                if one.commitment
                else "declaró, todavía no selló"
            )
            for one in page.assessors
        ),
        "- Los puntajes sellados solo los puede abrir quien los selló, con su archivo. Si esa "
        f"persona ya no está: `manifiesta match stop {call['code']} --official CÓDIGO --reason …` "
        "la aparta, y un nuevo evaluador declara y sella, mientras nadie haya abierto puntajes.",
    ]
    if page.identities:
        lines += ["", "Identidades, ya reveladas:", ""]
        lines += [f"- {code}: {name}" for code, name in sorted(page.identities.items())]
    else:
        lines += ["- Las identidades siguen ocultas: este documento no las contiene."]
    return lines


def _pilot(engine: Engine, code: str) -> list[str]:
    pilot = pilot_of(engine, code)
    steps = of_pilot(engine, "activity", code)
    left = [step for step in steps if step["done_on"] is None]
    return [
        f"## Piloto: {pilot['title']}",
        "",
        f"- Startups: {', '.join(pilot['startups']) or 'ninguna registrada'}.",
        f"- Carta de aceptación: {pilot['letter_document'] or 'no registrada'}"
        f"{_on(pilot['letter_on'])}.",
        f"- Actividades realizadas: {len(steps) - len(left)} de {len(steps)}.",
        *(f"- Pendiente: {step['title']}{_on(step['due_on'])}." for step in left),
        *(
            f"- Fase {phase['number']}, {phase['title']}: "
            f"{'terminada' if phase['done_on'] else 'pendiente'}."
            for phase in of_pilot(engine, "pilot_phase", code)
        ),
    ]


def _on(day: date | None) -> str:
    return f", {day}" if day else ""
