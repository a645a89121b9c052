"""From a need to the draft of a technological call, with everything that it rests on."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from configs.schema import Municipality
from models.errors import InputError
from models.match_records import TechnologicalCall
from pipelines.match.needs import Need, Needs, evidence
from pipelines.match.power import Indicator, indicator
from pipelines.report.data import Quote
from pipelines.report.formats import Formats, formats
from pipelines.report.safe import clean, web_link

DEFAULT_FALL = 0.10
"""By how much the negative share should fall if nobody says otherwise."""


def draft_call(
    engine: Engine,
    found: Needs,
    need: Need,
    municipality: Municipality,
    *,
    code: str,
    entity: str,
    fall: float = DEFAULT_FALL,
) -> TechnologicalCall:
    """Draft the call of a need.

    Args:
        engine: the database; it is only read.
        found: the needs of the run.
        need: the one to call for.
        municipality: whose figures they are.
        code: of the new call.
        entity: who calls.
        fall: by how much the negative share of the cell must fall, as a share.

    Raises:
        InputError: the share cannot fall by so much.
    """
    before = need.negative.value or 0.0
    try:
        goal = indicator(before, fall, need.volume.count, need.voices, found.days)
    except ValueError as error:
        raise InputError(f"{error}; choose a smaller --fall") from None
    quotes = evidence(engine, found, need, municipality)
    f = formats("es", municipality.zone)
    return TechnologicalCall(
        code=code,
        entity=entity,
        title=f"{need.name}: {', '.join(need.category_names)}"[:300],
        work_category=need.work_category,
        problem=problem_statement(found, need, goal, f),
        run_id=found.run_id,
        need=_need(found, need, goal, quotes),
    )


def problem_statement(found: Needs, need: Need, goal: Indicator, f: Formats) -> str:
    """Say in Spanish what the problem is, how big, how sure, and by what its end is seen."""
    volume, negative = need.volume, need.negative
    zones = ", ".join(f"{zone.name} ({f.integer(zone.count)})" for zone in need.zones)
    parts = [
        f"Ventana: {f.period(found.start, found.end)}. Se contaron {f.integer(volume.count)} "
        f"manifestaciones públicas sobre {_joined(need.category_names)}, "
        f"{_share(volume.value, volume.low, volume.high, f)} de {f.integer(volume.n)}.",
        f"De ellas, {f.integer(negative.count)} son negativas: "
        f"{_share(negative.value, negative.low, negative.high, f)} de "
        f"{f.integer(negative.n)}.",
        _trend(need, f),
        f"Zonas más nombradas: {zones}." if zones else "Casi ninguna nombra una zona.",
        f"Cobertura: {found.sources_read} de {found.sources_configured} fuentes leídas completas, "
        f"{found.days_complete} de {found.days} días completos.",
        _goal(goal, f),
        "Las cifras son de quienes se expresan en fuentes públicas, no de toda la población, y "
        "las etiquetas son de un modelo que también se equivoca.",
    ]
    return "\n\n".join(parts)


def as_markdown(call: TechnologicalCall, need: Need, f: Formats) -> str:
    """Return the draft as a document for people, with quotes and fitting solutions."""
    quotes = call.need["quotes"]
    lines = [f"# Borrador de convocatoria: {call.title}", "", "## Problema", "", call.problem, ""]
    lines += ["## Lo que dicen los ciudadanos", ""]
    for quote in quotes if isinstance(quotes, list) else ():
        link = f" <{quote['url']}>" if quote["url"] else ""
        said = f"{quote['said_on']}, {quote['source']}"
        lines += [f"> {quote['text']}", ">", f"> — {said}, {quote['sentiment_es']}.{link}", ""]
    if need.findings:
        lines += ["## Hallazgos de la corrida", "", *(f"- {one}" for one in need.findings), ""]
    lines += ["## Startups con soluciones que encajan", ""]
    lines += [
        f"- {offer.title} ({offer.startup}): {offer.validated} implementaciones validadas de "
        f"{offer.implementations}"
        + (f"; para {_joined(offer.by_category)}" if offer.by_category else "")
        for offer in need.offers
    ] or ["Ninguna registrada todavía: `manifiesta match import` las incorpora."]
    return "\n".join([*lines, ""])


def ranking_lines(found: Needs, f: Formats) -> list[str]:
    """Return the ranked needs, one line each, with count, denominator and interval."""
    return [
        f"{place}. [{need.work_category}] {need.name}: {f.integer(need.negative.count)} negativas "
        f"de {f.integer(need.volume.count)} "
        f"({_share(need.negative.value, need.negative.low, need.negative.high, f)}); "
        f"{_joined(need.category_names)}. {_trend(need, f)} Soluciones: {len(need.offers)}."
        for place, need in enumerate(found.ranked, 1)
    ]


def _need(found: Needs, need: Need, goal: Indicator, quotes: Sequence[Quote]) -> dict[str, Any]:
    """Return what the draft rests on, as plain values."""
    sentiments = {"negative": "negativa", "neutral": "neutra", "positive": "positiva"}
    return {
        "run_id": found.run_id,
        "municipality": found.municipality,
        "window_from": str(found.start),
        "window_to": str(found.end),
        "model_version": found.model_version,
        "categories": list(need.categories),
        "volume": asdict(need.volume),
        "negative": asdict(need.negative),
        "voices": need.voices,
        "trend": asdict(need.trend) if need.trend else None,
        "zones": [asdict(zone) for zone in need.zones],
        "findings": list(need.findings),
        "indicator": {**asdict(goal), "enough": goal.enough},
        "quotes": [
            {
                "id": quote.id,
                "text": clean(quote.text),
                "source": clean(quote.source_title),
                "said_on": str(quote.said_at.date()),
                "sentiment_es": sentiments.get(quote.sentiment, quote.sentiment),
                "url": web_link(quote.url),
            }
            for quote in quotes
        ],
        "offers": [asdict(offer) for offer in need.offers],
    }


def _share(value: float | None, low: float | None, high: float | None, f: Formats) -> str:
    if value is None or low is None or high is None:
        return "sin dato"
    return f"{f.percent(value)} (intervalo de 95 %: {f.percent(low)} a {f.percent(high)})"


def _trend(need: Need, f: Formats) -> str:
    trend = need.trend
    if trend is None:
        return "No hay una ventana anterior comparable."
    span = f"({f.points(trend.low)} a {f.points(trend.high)})"
    said = f"{f.points(trend.difference)} puntos {span} frente a la ventana anterior"
    if trend.low > 0:
        return f"Su participación creció {said}."
    if trend.high < 0:
        return f"Su participación bajó {said}."
    return f"Su participación no cambió de manera segura: {said}."


def _goal(goal: Indicator, f: Formats) -> str:
    until = f"; al volumen actual son {f.integer(goal.days)} días" if goal.days else ""
    least = (
        f"Con {f.integer(goal.n)} por ventana solo se ve una baja de "
        f"{f.decimal(100 * goal.visible)} puntos o más."
        if goal.visible is not None
        else "Con las manifestaciones actuales ninguna baja podría verse."
    )
    return (
        "Indicador de éxito: que la parte negativa de estas categorías baje de "
        f"{f.percent(goal.before)} a {f.percent(goal.after)} o menos. Para "
        "verlo con 80 % de potencia y 5 % de error hacen falta "
        f"{f.integer(goal.needed)} manifestaciones sobre el tema antes y otras tantas después"
        f"{until} (efecto de diseño {f.probability(goal.design_effect)}). {least}"
    )


def _joined(names: Sequence[str]) -> str:
    return " y ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
