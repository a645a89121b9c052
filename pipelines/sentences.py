"""Put a finding into words: a template per rule and language, and nothing but its own numbers."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from configs.schema import Category, Lens, Municipality, Name, Taxonomy
from models.labels import CATEGORIES
from pipelines.findings import Finding
from pipelines.report.formats import Formats, formats
from pipelines.report.texts import Texts, texts

LANGUAGES = ("es", "en")


def sentence(
    finding: Finding,
    language: str,
    municipality: Municipality,
    taxonomy: Taxonomy,
    lens: Lens | None = None,
) -> str:
    """Return the statement of a finding in ``es`` or ``en``; one of a lens begins with its name."""
    t, f = texts(language), formats(language, municipality.zone)
    values = {
        name: _shown(name, value, f, language, municipality, taxonomy)
        for name, value in finding.statistic.items()
    }
    values["where"] = _where(finding.statistic, values, t)
    if "window" in finding.statistic:
        when = "day" if finding.statistic["window"] == 1 else "days"
        values["when"] = t(f"finding.when.{when}", **values)
        values["before_of"] = t(f"finding.before.{finding.statistic['before_of']}", **values)
    said = t(f"finding.{finding.rule}", **values)
    if finding.statistic.get("area"):
        said += " " + t("finding.area", area=values["area"])
    if finding.statistic.get("days", 1) != 1 and "since" in finding.statistic:
        said += " " + t("finding.lasted", **values)
    if "tone_share" in finding.statistic:
        of = t(f"finding.before.{finding.statistic['tone_before_of']}", **values)
        said += " " + t("finding.tone", **(values | {"tone_before_of": of}))
    return f"{getattr(lens, language)}: {said}" if lens else said


def _where(statistic: Mapping[str, Any], values: Mapping[str, str], t: Texts) -> str:
    dimension = str(statistic.get("dimension", ""))
    return t(f"finding.where.{dimension.replace('+', '_')}", **values) if dimension else ""


def _shown(
    name: str,
    value: Any,
    f: Formats,
    language: str,
    municipality: Municipality,
    taxonomy: Taxonomy,
) -> str:
    """Write one number or code of a statistic the way its name asks for."""
    named = _name(name, value, municipality, taxonomy)
    if named is not None:
        return named.es if language == "es" else named.en
    if name in ("day", "since", "until"):
        return f.day(date.fromisoformat(value))
    if name.endswith("share") or name.removeprefix("tone_") in ("low", "high"):
        return f.percent(value)
    if isinstance(value, float):
        return f.decimal(value)
    return f.integer(value) if isinstance(value, int) else str(value)


def _name(
    name: str, value: Any, municipality: Municipality, taxonomy: Taxonomy
) -> Category | Name | None:
    """Return the names of what a code stands for, if it is one."""
    if name == "work_category":
        return taxonomy.work_categories[value]
    if name.endswith("category") and value in CATEGORIES:
        return taxonomy.category(value)
    zone = next((z.name for z in municipality.zones if name == "zone" and z.code == value), None)
    return Name(es=zone, en=zone) if zone else None
