"""The tables of what a run counted and found. Column comments are the data dictionary's text."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.labels import EVERYTHING
from models.tables import Base, code_column


class InsightColumns:
    """What every insight row says of itself: whose, when, by what, and how complete."""

    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"),
        primary_key=True,
        comment="The run that counted.",
        sort_order=-20,
    )
    lens: Mapped[str] = mapped_column(
        String(60),
        primary_key=True,
        default=EVERYTHING,
        comment="Code of the lens, a saved filter; empty: everything.",
        sort_order=-20,
    )
    municipality: Mapped[str] = code_column("Code of the municipality.", order=-20)
    window_from: Mapped[date] = mapped_column(
        comment="First local day of the window.", sort_order=-20
    )
    window_to: Mapped[date] = mapped_column(
        comment="Local day after the last of the window.", sort_order=-20
    )
    model_version: Mapped[str] = mapped_column(
        String(400), comment="The classifier.", sort_order=-20
    )
    taxonomy_version: Mapped[str] = code_column("The taxonomy.", order=-20)
    sources_read: Mapped[int] = mapped_column(
        comment="Coverage: sources that were read to the end in this run.", sort_order=20
    )
    sources_configured: Mapped[int] = mapped_column(
        comment="Coverage: sources configured.", sort_order=20
    )
    days_complete: Mapped[int] = mapped_column(
        comment="Coverage: days of the window with every source read.", sort_order=20
    )
    days: Mapped[int] = mapped_column(comment="Days of the window.", sort_order=20)


class ShareColumns:
    """A count and its share of ``n``, raw and corrected for the classifier's known errors."""

    count: Mapped[int] = mapped_column(comment="Manifestations with this label.")
    distinct_count: Mapped[int] = mapped_column(
        comment="The same, with each cluster of near-duplicates counted once."
    )
    voices: Mapped[int | None] = mapped_column(
        comment="The same, with each author counted once per category and local day; "
        "empty in rows older than this column."
    )
    anonymous: Mapped[int | None] = mapped_column(
        comment="Of the voices, manifestations of unknown author: each counts as one voice."
    )
    authors: Mapped[int | None] = mapped_column(
        comment="Distinct authors; each manifestation of unknown author counts as one of its own."
    )
    n: Mapped[int] = mapped_column(
        comment="Denominator: classified manifestations that are not in another language."
    )
    share: Mapped[float | None] = mapped_column(comment="count / n; empty where n is 0.")
    share_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    share_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class CorrectedColumns:
    """The share as it would be without the classifier's systematic errors."""

    corrected_share: Mapped[float | None] = mapped_column(
        comment="Share corrected with the classifier's confusion matrix on labelled texts."
    )
    corrected_low: Mapped[float | None] = mapped_column(comment="Lower end, bootstrap 95 %.")
    corrected_high: Mapped[float | None] = mapped_column(comment="Upper end, bootstrap 95 %.")


class SentimentColumns:
    """How the manifestations of a cell divide by sentiment."""

    negative: Mapped[int] = mapped_column(comment="Of the count, negative.")
    neutral: Mapped[int] = mapped_column(comment="Of the count, neutral.")
    positive: Mapped[int] = mapped_column(comment="Of the count, positive.")
    negative_share: Mapped[float | None] = mapped_column(comment="negative / count.")
    negative_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    negative_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class InsightOverview(InsightColumns, ShareColumns, CorrectedColumns, Base):
    """The whole window: manifestations by sentiment, intent, kind and language."""

    __tablename__ = "insight_overview"
    __table_args__ = {
        "comment": "The whole window by sentiment, intent, kind, certainty, language."
    }

    measure: Mapped[str] = code_column(
        "total, sentiment, intent, kind, certainty or language (of n texts in any of them).",
        key=True,
        order=-10,
    )
    label: Mapped[str] = code_column("The label within the measure.", key=True, order=-10)


class InsightCategory(InsightColumns, ShareColumns, CorrectedColumns, SentimentColumns, Base):
    """The window by urban category."""

    __tablename__ = "insight_category"
    __table_args__ = {"comment": "The window by urban category."}

    category: Mapped[str] = code_column("Urban category.", key=True, order=-10)
    unsure: Mapped[int] = mapped_column(
        comment="Of the count, those under the model's confidence threshold."
    )


class InsightIntent(InsightColumns, ShareColumns, CorrectedColumns, SentimentColumns, Base):
    """The window by intent."""

    __tablename__ = "insight_intent"
    __table_args__ = {"comment": "The window by intent: what the neighbours want."}

    intent: Mapped[str] = code_column("The intent.", key=True, order=-10)
    unsure: Mapped[int] = mapped_column(
        comment="Of the count, those under the model's confidence threshold."
    )


class InsightDay(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by local day."""

    __tablename__ = "insight_day"
    __table_args__ = {"comment": "The window by local day."}

    day: Mapped[date] = mapped_column(primary_key=True, comment="Local day.", sort_order=-10)
    complete: Mapped[bool] = mapped_column(comment="True where every source was read.")


class InsightSource(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by source, with what became of each source."""

    __tablename__ = "insight_source"
    __table_args__ = {"comment": "The window by source, with the state of each source."}

    source: Mapped[str] = code_column("The source.", key=True, order=-10)
    state: Mapped[str] = code_column(
        "done, partial, failed or unread: whether every day of the window was read."
    )
    reason: Mapped[str | None] = mapped_column(Text, comment="Why it is partial or failed.")
    rejected: Mapped[int] = mapped_column(comment="Input records rejected in this run.")
    ignored: Mapped[int] = mapped_column(comment="Input records ignored for a stated reason.")
    voice_n: Mapped[int | None] = mapped_column(comment="Denominator: voices of all sources.")
    voice_share: Mapped[float | None] = mapped_column(
        comment="Share of voice: voices / voice_n; empty where voice_n is 0."
    )
    voice_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    voice_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class InsightPlace(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by zone of the municipality, with what speaks of no zone."""

    __tablename__ = "insight_place"
    __table_args__ = {"comment": "The window by zone of the municipality, (none) included."}

    zone: Mapped[str] = code_column(
        "Code of the zone, or (none): neither the text nor its thread names one.",
        key=True,
        order=-10,
    )
    gazetteer: Mapped[str] = code_column(
        "The zones, their names and the rules that placed the texts."
    )
    inherited: Mapped[int] = mapped_column(
        comment="Of the count, replies that name no place and took their thread opener's zone."
    )


class InsightSeries(InsightColumns, ShareColumns, SentimentColumns, Base):
    """The window by day, ISO week, month and as a whole, of every label and of pairs of them."""

    __tablename__ = "insight_series"
    __table_args__ = {
        "comment": "By day, ISO week, month and whole window: every label, and pairs of labels. "
        "A pair, or a label under a lens, that has no row was counted 0 times."
    }

    grain: Mapped[str] = code_column("day, week (ISO), month or window.", key=True, order=-10)
    period: Mapped[str] = code_column(
        "2026-03-01, 2026-W09, 2026-03, or window.", key=True, order=-10
    )
    period_from: Mapped[date] = mapped_column(
        comment="First local day of the period that lies in the window.", sort_order=-10
    )
    period_to: Mapped[date] = mapped_column(
        comment="Local day after the last of the period that lies in the window.", sort_order=-10
    )
    complete: Mapped[bool] = mapped_column(
        comment="True where the window holds the whole period and every source was read for it.",
        sort_order=-10,
    )
    dimension: Mapped[str] = code_column(
        "all, category, sentiment, intent, source or zone.", key=True, order=-10
    )
    value: Mapped[str] = code_column("The label; all for all.", key=True, order=-10)
    second_dimension: Mapped[str] = code_column(
        "Of a pair (from the week up), the second dimension; else empty.", key=True, order=-10
    )
    second_value: Mapped[str] = code_column(
        "Of a pair, the second label; else empty.", key=True, order=-10
    )
    n: Mapped[int] = mapped_column(
        comment="Denominator: all counted in the period; of a pair, those with its first label."
    )


class InsightChange(InsightColumns, Base):
    """The window beside an earlier one: differences of shares, and how sure they are."""

    __tablename__ = "insight_change"
    __table_args__ = {
        "comment": "The window beside an earlier one: differences of shares, and how sure they "
        "are. Both are counted over the sources that were read to the end in both."
    }

    baseline: Mapped[str] = code_column(
        "previous (the window of the same length before), or the run whose window it is.",
        key=True,
        order=-10,
    )
    baseline_from: Mapped[date] = mapped_column(
        comment="First local day of the earlier window.", sort_order=-10
    )
    baseline_to: Mapped[date] = mapped_column(
        comment="Local day after the last of the earlier window.", sort_order=-10
    )
    dimension: Mapped[str] = code_column(
        "category, sentiment, intent, source or zone.", key=True, order=-10
    )
    value: Mapped[str] = code_column("The label.", key=True, order=-10)
    second_dimension: Mapped[str] = code_column(
        "Of a pair, the second dimension; else empty.", key=True, order=-10
    )
    second_value: Mapped[str] = code_column(
        "Of a pair, the second label; else empty.", key=True, order=-10
    )
    count: Mapped[int] = mapped_column(comment="Manifestations with this label in the window.")
    n: Mapped[int] = mapped_column(
        comment="Denominator: all counted in the window; of a pair, those with its first label."
    )
    share: Mapped[float | None] = mapped_column(comment="count / n; empty where n is 0.")
    before_count: Mapped[int] = mapped_column(comment="The count in the earlier window.")
    before_n: Mapped[int] = mapped_column(comment="The denominator in the earlier window.")
    before_share: Mapped[float | None] = mapped_column(
        comment="before_count / before_n; empty where before_n is 0."
    )
    difference: Mapped[float | None] = mapped_column(comment="share - before_share.")
    difference_low: Mapped[float | None] = mapped_column(
        comment="Lower end, 95 % (Newcombe 1998, hybrid score); empty where not comparable."
    )
    difference_high: Mapped[float | None] = mapped_column(comment="Upper end of it.")
    p_value: Mapped[float | None] = mapped_column(
        comment="Of no difference, by the score test; empty where not comparable."
    )
    q_value: Mapped[float | None] = mapped_column(
        comment="The same, controlled for the many rows compared (Benjamini and Hochberg 1995): "
        "of the rows with q at most 0.05, one in twenty is chance."
    )
    comparable: Mapped[bool] = mapped_column(
        comment="True where some source was read to the end in both and all texts are classified."
    )
    reason: Mapped[str | None] = mapped_column(Text, comment="Why it is not comparable.")
    sources_compared: Mapped[int] = mapped_column(
        comment="Sources that were read to the end in both windows."
    )


class LensColumn:
    """Which saved filter a row was counted under."""

    lens: Mapped[str] = code_column(
        "Code of the lens, a saved filter; empty: everything.", key=True
    )


class InsightTerm(InsightColumns, Base):
    """The words by which a category differs from the others."""

    __tablename__ = "insight_term"
    __table_args__ = {"comment": "The words by which a category differs from the others."}

    category: Mapped[str] = code_column("Urban category.", key=True, order=-10)
    term: Mapped[str] = mapped_column(
        String(200), primary_key=True, comment="The term as most often written.", sort_order=-10
    )
    count: Mapped[int] = mapped_column(comment="Manifestations of the category that have it.")
    distinct_count: Mapped[int] = mapped_column(
        comment="The same, with each cluster of near-duplicates counted once."
    )
    voices: Mapped[int] = mapped_column(
        comment="The distinct ones, with each author counted once a day."
    )
    n: Mapped[int] = mapped_column(comment="Manifestations of the category.")
    log_odds: Mapped[float] = mapped_column(
        comment="Log-odds ratio against all other categories, with an informative prior."
    )
    z: Mapped[float] = mapped_column(comment="The same by its standard deviation.")
    example_id: Mapped[str] = mapped_column(String(32), comment="A manifestation that has it.")


class InsightTopic(InsightColumns, Base):
    """Topics that nobody named beforehand: clusters of texts that say similar things."""

    __tablename__ = "insight_topic"
    __table_args__ = {"comment": "Clusters of similar texts; an id stays from window to window."}

    topic: Mapped[str] = code_column(
        "The topic; the id that it had in an earlier window.", key=True
    )
    terms: Mapped[str] = mapped_column(Text, comment="Its most telling words (c-TF-IDF).")
    category: Mapped[str] = code_column("The category that most of its texts have.")
    count: Mapped[int] = mapped_column(comment="Manifestations in it, copies included.")
    distinct_count: Mapped[int] = mapped_column(comment="Distinct texts in it.")
    voices: Mapped[int] = mapped_column(
        comment="The distinct ones, with each author counted once a day."
    )
    negative: Mapped[int] = mapped_column(comment="Of the count, negative.")
    n: Mapped[int] = mapped_column(comment="Manifestations among which topics were looked for.")
    texts_read: Mapped[int | None] = mapped_column(
        comment="Distinct texts that the encoder read, 20,000 at most, as good as drawn at random; "
        "empty in rows older than this column."
    )
    texts_distinct: Mapped[int | None] = mapped_column(
        comment="Distinct texts that there are; empty in rows older than this column."
    )
    texts_cut: Mapped[int | None] = mapped_column(
        comment="Of the texts read, the long ones of which the encoder read the beginning only; "
        "empty in rows older than this column."
    )
    first_seen: Mapped[date] = mapped_column(
        comment="Local day of its first text, in this window or the earlier ones it is known from."
    )
    known: Mapped[bool | None] = mapped_column(
        comment="True where an earlier window had it; empty where there is no earlier window."
    )
    recent: Mapped[int] = mapped_column(comment="Of the voices, those of the last seven days.")
    growth: Mapped[float] = mapped_column(
        comment="Voices a day in the last seven days by those before, half a voice added to each."
    )
    growth_q: Mapped[float | None] = mapped_column(
        comment="How likely chance alone grows one so much, adjusted for all topics."
    )
    examples: Mapped[list[str]] = mapped_column(
        JSON, comment="Ids of manifestations: the most central, then diverse ones."
    )


class TopicCentroidRow(LensColumn, Base):
    """Where the topics of a run lie, so that the next window knows them again."""

    __tablename__ = "topic_centroid"
    __table_args__ = {"comment": "Where the topics of a run lie: the next window knows them by it."}

    run_id: Mapped[str] = mapped_column(
        ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, comment="The run."
    )
    topic: Mapped[str] = code_column("The topic.", key=True)
    municipality: Mapped[str] = code_column("Code of the municipality.")
    window_from: Mapped[date] = mapped_column(comment="First local day of the window.")
    model_version: Mapped[str] = mapped_column(String(400), comment="The encoder.")
    first_seen: Mapped[date] = mapped_column(comment="Local day of its first text.")
    vector: Mapped[bytes] = mapped_column(
        LargeBinary, comment="Mean vector of its texts, little-endian single precision."
    )


class InsightFinding(InsightColumns, Base):
    """A statement made of numbers, with the statistic behind it."""

    __tablename__ = "insight_finding"
    __table_args__ = {"comment": "Statements made of numbers, each with its statistic."}

    number: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        comment="Its place among the findings of the run.",
        sort_order=-10,
    )
    kind: Mapped[str] = code_column("relevant, surprise, emerging or alert.")
    subject: Mapped[str] = mapped_column(
        String(200), comment="What it is about, like category:water or topic:t-1a2b3c."
    )
    rule: Mapped[str] = code_column("The rule that found it; the statistic has its own fields.")
    sentence_es: Mapped[str] = mapped_column(Text, comment="The statement in Spanish.")
    sentence_en: Mapped[str] = mapped_column(Text, comment="The statement in English.")
    value: Mapped[float] = mapped_column(comment="The figure that it rests on.")
    low: Mapped[float | None] = mapped_column(
        comment="Lower end of its 95 % interval; of an alarm, of what was expected."
    )
    high: Mapped[float | None] = mapped_column(
        comment="Upper end of its 95 % interval; of an alarm, of what was expected."
    )
    n: Mapped[int] = mapped_column(comment="How many manifestations or voices that rests on.")
    q: Mapped[float | None] = mapped_column(
        comment="p-value adjusted for all that was tested by the rule (Benjamini-Hochberg)."
    )
    statistic: Mapped[dict[str, Any]] = mapped_column(
        comment="Every number of the sentence, for a program."
    )


class InsightEvidence(InsightColumns, Base):
    """The manifestations behind a finding: the most central, and the most diverse."""

    __tablename__ = "insight_evidence"
    __table_args__ = {"comment": "The manifestations behind a finding, quoted."}

    number: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="The finding.", sort_order=-10
    )
    position: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Place in the list.", sort_order=-10
    )
    manifestation_id: Mapped[str] = mapped_column(
        ForeignKey("manifestation.id", ondelete="CASCADE"), comment="The manifestation."
    )
    role: Mapped[str] = code_column(
        "central: most like the others; diverse: least like those before."
    )
    source: Mapped[str] = code_column("The source that gave it.")
    said_on: Mapped[date] = mapped_column(comment="Local day on which it was said.")
    quote: Mapped[str] = mapped_column(Text, comment="Its words, masked and shortened.")
    url: Mapped[str | None] = mapped_column(Text, comment="Public address.")


class InsightDemandAgeing(InsightColumns, Base):
    """The demands that wait for an answer when a run counts, by how long they have waited."""

    __tablename__ = "insight_demand_ageing"
    __table_args__ = {
        "comment": "Demands waiting for an answer on the day of counting, by how long they wait: "
        "confirmed, not answered, and first spoken of before the window's end."
    }

    dimension: Mapped[str] = code_column("all, category, area or zone.", key=True, order=-10)
    value: Mapped[str] = mapped_column(
        String(300),
        primary_key=True,
        comment="Code or name within the dimension; (none) without one; empty for all.",
        sort_order=-10,
    )
    band: Mapped[str] = code_column(
        "Whole days since it was confirmed: 0-7, 8-15, 16-30, 31-90 or 91+.", key=True, order=-10
    )
    as_of: Mapped[date] = mapped_column(comment="Local day of counting.")
    count: Mapped[int] = mapped_column(comment="Waiting demands of this age.")
    overdue: Mapped[int] = mapped_column(comment="Of the count, those past their due date.")
    n: Mapped[int] = mapped_column(comment="Denominator: waiting demands of any age.")
    share: Mapped[float | None] = mapped_column(comment="count / n; empty where n is 0.")
    share_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    share_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


class InsightResponseTime(InsightColumns, Base):
    """How long demands take to be answered; those still waiting count as far as they have come."""

    __tablename__ = "insight_response_time"
    __table_args__ = {
        "comment": "Days from confirmation to the answer (Kaplan-Meier: those that still wait, "
        "or were rejected, count until then), of confirmed demands spoken of in the window."
    }

    dimension: Mapped[str] = code_column("all, category, area or zone.", key=True, order=-10)
    value: Mapped[str] = mapped_column(
        String(300),
        primary_key=True,
        comment="Code or name within the dimension; (none) without one; empty for all.",
        sort_order=-10,
    )
    as_of: Mapped[date] = mapped_column(comment="Local day of counting.")
    n: Mapped[int] = mapped_column(comment="Confirmed demands.")
    answered: Mapped[int] = mapped_column(comment="Of n, those answered: the events.")
    censored: Mapped[int] = mapped_column(comment="Of n, those still waiting or rejected.")
    median_days: Mapped[float | None] = mapped_column(
        comment="Days by which half are answered; empty where that is not reached yet."
    )
    median_low: Mapped[float | None] = mapped_column(comment="Lower end, 95 % (log-log).")
    median_high: Mapped[float | None] = mapped_column(
        comment="Upper end, 95 %; empty where it cannot be told."
    )
    p90_days: Mapped[float | None] = mapped_column(
        comment="Days by which 90 % are answered; empty where that is not reached yet."
    )
    p90_low: Mapped[float | None] = mapped_column(comment="Lower end, 95 % (log-log).")
    p90_high: Mapped[float | None] = mapped_column(
        comment="Upper end, 95 %; empty where it cannot be told."
    )
    due_n: Mapped[int] = mapped_column(
        comment="Demands with a due date that are answered, or are past it."
    )
    on_time: Mapped[int] = mapped_column(comment="Of due_n, those answered by their due date.")
    on_time_share: Mapped[float | None] = mapped_column(comment="on_time / due_n.")
    on_time_low: Mapped[float | None] = mapped_column(comment="Lower end, Wilson 95 %.")
    on_time_high: Mapped[float | None] = mapped_column(comment="Upper end, Wilson 95 %.")


INSIGHT_TABLES: tuple[type[Base], ...] = (
    InsightOverview,
    InsightCategory,
    InsightIntent,
    InsightDay,
    InsightSource,
    InsightPlace,
    InsightSeries,
    InsightChange,
    InsightTerm,
    InsightTopic,
    InsightFinding,
    InsightEvidence,
    InsightDemandAgeing,
    InsightResponseTime,
)
"""The analysts' contract: tables whose names and columns stay."""
