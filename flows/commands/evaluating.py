"""The verbs evaluate and models: how good a model is, whether it drifts, which ones counted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.options import From, Json, Model, To, as_day, print_json
from models.errors import ConfigError

if TYPE_CHECKING:
    from models.records import Classification
    from nlp.compare import TaskChange
    from nlp.evaluate import EvaluationReport
    from nlp.slices import Slices
    from pipelines.drift import WindowDrift
    from pipelines.store.model_versions import KeptModel
    from pipelines.texts import Line

Gold = Annotated[Path | None, typer.Argument(metavar="GOLD.jsonl", help="Texts with true labels.")]
Against = Annotated[
    Path | None,
    typer.Option(help="Earlier model: its folder, or its answers as `manifiesta classify` wrote."),
]
Drifting = Annotated[
    bool, typer.Option("--drift", help="Compare the answers of two windows of the store.")
]
Municipality = Annotated[
    str | None, typer.Option("--municipality", "-m", help="With --drift: whose windows.")
]
BeforeFrom = Annotated[
    datetime | None,
    typer.Option(
        "--before-from",
        formats=["%Y-%m-%d"],
        help="With --drift: first day of the earlier window, as long as the later; "
        "the days right before it if not given.",
    ),
]
_MOST_FLIPS = 20


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("evaluate", epilog="Example: manifiesta evaluate gold.jsonl --against old-model")(
        evaluate_verb
    )
    app.command("models", epilog="Example: manifiesta models manifiesta-0.5.0")(models)


def models(
    version: Annotated[
        str | None, typer.Argument(help="A version, as runs name it; all of them if not given.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the models that have counted, or print the card of one as it was when it counted."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.store.model_versions import kept_models

    found = kept_models(open_store(Settings.load()).engine)
    if version is not None:
        found = [one for one in found if one.version == version]
        if not found:
            raise ConfigError(f"No run of this house kept a model «{version}»: manifiesta models.")
    if as_json:
        print_json([asdict(one) for one in found])
    elif version is None:
        _list_models(found)
    else:
        from nlp.card import model_card
        from nlp.manifest import Manifest

        typer.echo(model_card(Manifest.model_validate(found[0].manifest)))


def _list_models(found: "Sequence[KeptModel]") -> None:
    if not found:
        typer.echo("No run has counted yet; each one keeps what its model said of itself.")
    for one in found:
        measured = (one.manifest.get("measured") or {}).get("gold_scores", {})
        scores = ", ".join(f"{task} {score['macro_f1']:.2f}" for task, score in measured.items())
        typer.echo(
            f"{one.version}  {one.licence}  kept {one.kept_at:%Y-%m-%d}"
            + (f"  macro-F1 on the gold: {scores}" if scores else "")
        )


def evaluate_verb(  # noqa: PLR0913, PLR0917 - one option for each question
    gold: Gold = None,
    model: Model = None,
    against: Against = None,
    drift: Drifting = False,
    municipality: Municipality = None,
    start: From = None,
    end: To = None,
    before_from: BeforeFrom = None,
    as_json: Json = False,
) -> None:
    """Score the model on labelled texts, against an earlier one too, or look for drift.

    Labelled texts: macro-F1, calibration, how wrong its shares are, and the same by length,
    source, origin, country and tag where the texts say so. With --against: which labels got
    worse, and on which texts. With --drift: whether the answers of two windows differ by more
    than chance.
    """
    if drift:
        if gold is not None or against is not None or municipality is None:
            raise ConfigError(
                "--drift compares two windows of the store: give --municipality and --from, "
                "and no gold texts."
            )
        _drift(municipality, as_day(start), as_day(end), as_day(before_from), as_json=as_json)
        return
    if gold is None:
        raise ConfigError("Name a file of labelled texts, or ask for --drift.")
    _evaluate(gold, model, against, as_json=as_json)


def _evaluate(gold: Path, model: Path | None, against: Path | None, *, as_json: bool) -> None:
    from configs.model import ModelSpec
    from nlp.classifier import Classifier
    from nlp.compare import compare
    from nlp.evaluate import GoldItem, evaluate
    from nlp.slices import slice_scores
    from pipelines.texts import BadLine, Line, read_lines

    lines = list(read_lines(gold, with_id=False))
    bad = [line for line in lines if isinstance(line, BadLine)]
    for line in bad:
        typer.echo(f"{gold}:{line.number}: {line.problem}", err=True)
    good = [line for line in lines if isinstance(line, Line)]
    texts = [line.text for line in good]
    items = [GoldItem(**line.labels) for line in good]
    classifier = Classifier.load(ModelSpec(path=model))
    answers = classifier.classify(texts)
    report = evaluate(items, answers, classifier.manifest.errors)
    slices = slice_scores(texts, items, answers, [line.about for line in good])
    changes, earlier = {}, None
    if against is not None:
        before = _answers_of(against, good)
        earlier = before[0].model_version if before else str(against)
        changes = compare(items, before, answers)
    if as_json:
        plain = {
            **report.to_dict(),
            "model_version": classifier.model_version,
            "slices": {name: _plain(groups) for name, groups in slices.items()},
        }
        if earlier is not None:
            plain["against"] = earlier
            plain["changes"] = {task: _with_texts(one, good) for task, one in changes.items()}
        print_json(plain)
    else:
        _show_scores(report, classifier.model_version)
        _show_slices(slices)
        if earlier is not None:
            _show_changes(changes, earlier, classifier.model_version, texts)
    raise typer.Exit(3 if bad else 0)


def _answers_of(against: Path, lines: "Sequence[Line]") -> "list[Classification]":
    from configs.model import ModelSpec
    from nlp.classifier import Classifier
    from pipelines.texts import read_answers

    if against.is_file():
        return read_answers(against, [line.id for line in lines])
    earlier = Classifier.load(ModelSpec(path=against))
    return earlier.classify([line.text for line in lines])


def _plain(groups: "Mapping[str, Mapping[str, Any]]") -> dict[str, Any]:
    return {
        group: {task: asdict(score) for task, score in tasks.items()}
        for group, tasks in groups.items()
    }


def _with_texts(change: "TaskChange", lines: "Sequence[Line]") -> dict[str, Any]:
    plain = change.to_dict()
    for flip in plain["flips"]:
        line = lines[flip.pop("at")]
        flip |= {"id": line.id, "text": line.text}
    return plain


def _show_scores(report: "EvaluationReport", model_version: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    overall = Table(title=f"{model_version}: {report.n:,} texts, {report.abstained:,} abstained")
    heads = ("task", "n", "macro-F1", "95 %", "accuracy", "ECE", "by chance", "share error")
    for name in (*heads, "corrected"):
        overall.add_column(name, justify="left" if name == "task" else "right")
    for task, score in report.tasks.items():
        corrected = score.share_error_corrected
        overall.add_row(
            task,
            f"{score.n:,}",
            f"{score.macro_f1:.3f}",
            f"{score.macro_f1_low:.3f}-{score.macro_f1_high:.3f}",
            f"{score.accuracy:.3f}",
            f"{score.ece:.3f}",
            f"{score.ece_by_chance:.3f}",
            f"{score.share_error:.4f}",
            "" if corrected is None else f"{corrected:.4f}",
        )
    console.print(overall)
    for task, score in report.tasks.items():
        detail = Table(title=task)
        for name in ("label", "precision", "recall", "F1", "support"):
            detail.add_column(name, justify="left" if name == "label" else "right")
        for label, one in score.labels.items():
            numbers = (f"{value:.3f}" for value in (one.precision, one.recall, one.f1))
            detail.add_row(label, *numbers, f"{one.support:,}")
        console.print(detail)


def _show_slices(slices: "Slices") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for dimension, groups in slices.items():
        table = Table(title=f"by {dimension}")
        for name in (dimension, "task", "n", "accuracy", "95 %", "macro-F1"):
            table.add_column(name, justify="left" if name in (dimension, "task") else "right")
        for group, tasks in groups.items():
            for at, (task, one) in enumerate(tasks.items()):
                table.add_row(
                    "" if at else group,
                    task,
                    f"{one.n:,}",
                    f"{one.accuracy:.3f}",
                    f"{one.low:.3f}-{one.high:.3f}",
                    f"{one.macro_f1:.3f}",
                )
        console.print(table)


def _show_changes(
    changes: "Mapping[str, TaskChange]", before: str, after: str, texts: Sequence[str]
) -> None:
    from rich.console import Console
    from rich.table import Table

    from nlp.compare import worse

    console = Console()
    for task, change in changes.items():
        table = Table(
            title=f"{task}: {before} → {after}; right before only {change.lost:,}, "
            f"right now only {change.won:,} (McNemar p = {change.p:.3f})"
        )
        for name in ("label", "n", "F1 before", "F1 now", "difference", "95 %", ""):
            table.add_column(name, justify="left" if name in ("label", "") else "right")
        for label, gap in {"macro-F1": change.macro_f1, **change.labels}.items():
            table.add_row(
                label,
                f"{gap.support:,}",
                f"{gap.before:.3f}",
                f"{gap.after:.3f}",
                f"{gap.difference:+.3f}",
                f"{gap.low:+.3f} to {gap.high:+.3f}",
                "" if gap.verdict == "same" else gap.verdict,
            )
        console.print(table)
        _show_flips(change, texts)
    found = worse(changes)
    typer.echo(f"Worse by more than chance: {', '.join(found) if found else 'nothing'}.")


def _show_flips(change: "TaskChange", texts: Sequence[str]) -> None:
    lost = [flip for flip in change.flips if flip.lost]
    for flip in lost[:_MOST_FLIPS]:
        typer.echo(f"  lost: {flip.gold} → {flip.after}: {texts[flip.at][:100]}")
    if len(lost) > _MOST_FLIPS:
        typer.echo(f"  … and {len(lost) - _MOST_FLIPS:,} more; --json has all of them.")


def _drift(code: str, start: Any, end: Any, before_from: Any, *, as_json: bool) -> None:
    from configs.settings import Settings
    from flows.house import open_municipality, open_store, window_of
    from models.records import Window
    from pipelines.drift import preceding, window_drift

    settings = Settings.load()
    place = open_municipality(settings, code)
    after = window_of(place, start, end)
    before = preceding(after)
    if before_from is not None:
        before = Window(before_from, before_from + (after.end - after.start), after.zone)
    if before.end > after.start:
        raise ConfigError(
            f"The earlier window ({before.start} to {before.end}) reaches into the later one, "
            f"which starts on {after.start}. Correct --before-from or --from."
        )
    found = window_drift(open_store(settings), place, before, after)
    if as_json:
        print_json(
            {
                "model_version": found.model_version,
                "before": {"from": before.start, "to": before.end, "n": found.n_before},
                "after": {"from": after.start, "to": after.end, "n": found.n_after},
                "measures": {name: asdict(one) for name, one in found.measures.items()},
            }
        )
    else:
        _show_drift(found)


def _show_drift(found: "WindowDrift") -> None:
    from rich.console import Console
    from rich.table import Table

    before, after = found.before, found.after
    table = Table(
        title=f"{found.model_version}: {before.start} to {before.end} ({found.n_before:,} texts) "
        f"against {after.start} to {after.end} ({found.n_after:,} texts)"
    )
    for name in ("measure", "distance", "chance (95 %)", "p", "PSI", ""):
        table.add_column(name, justify="left" if name in ("measure", "") else "right")
    for name, one in found.measures.items():
        table.add_row(
            name,
            f"{one.distance:.3f}",
            f"{one.chance:.3f}",
            f"{one.p:.3f}",
            f"{one.psi:.3f}",
            "drifts" if one.drifted else "",
        )
    Console().print(table)
    drifted = [name for name, one in found.measures.items() if one.drifted]
    typer.echo(f"More than chance: {', '.join(drifted) if drifted else 'nothing'}.")
