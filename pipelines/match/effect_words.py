"""What an evaluation says, in Spanish."""

from pipelines.match.effect import Cell, Difference, Effect
from pipelines.report.formats import Formats

VERDICTS = {
    "better": "Mejoró: la parte negativa bajó más que en el control.",
    "worse": "Empeoró: la parte negativa subió más que en el control.",
    "open": "No se puede concluir nada.",
}

CAUTION = (
    "Una diferencia con el control no prueba por sí sola que el piloto sea la causa: otra cosa "
    "pudo pasar al mismo tiempo solo en esa celda. Las etiquetas son de un modelo, que también "
    "se equivoca."
)


def effect_lines(effect: Effect, f: Formats) -> list[str]:
    """Return the verdict first, then its reasons and every figure behind it."""
    return [
        VERDICTS[effect.verdict],
        *(f"- {reason}" for reason in effect.reasons),
        f"Antes: {f.period(*effect.before)}. Después: {f.period(*effect.after)}. "
        f"Control: {effect.control}.",
        f"Solo cuentan las {effect.sources} fuentes leídas completas en ambas ventanas; "
        f"{effect.sources_left_out} quedan fuera.",
        *(f"  {cell_line(cell, f)}" for cell in effect.cells),
        f"Diferencia en diferencias: {difference_line(effect.difference, f)}",
        f"Placebo (las dos mitades del tiempo anterior): {difference_line(effect.placebo, f)}",
        CAUTION,
    ]


def cell_line(cell: Cell, f: Formats) -> str:
    """Say one cell with its numerator, denominator and interval."""
    if cell.share is None or cell.low is None or cell.high is None:
        return f"{cell.group}, {cell.window}: ninguna manifestación"
    return (
        f"{cell.group}, {cell.window}: {f.percent(cell.share)} negativas "
        f"({f.integer(cell.negative)} de {f.integer(cell.n)}; "
        f"{f.percent(cell.low)} a {f.percent(cell.high)})"
    )


def difference_line(difference: Difference | None, f: Formats) -> str:
    """Say a difference in points with its interval."""
    if difference is None:
        return "no se puede calcular"
    return (
        f"{f.points(difference.value)} puntos (intervalo de 95 %: {f.points(difference.low)} a "
        f"{f.points(difference.high)}; {difference.days} días)"
    )
