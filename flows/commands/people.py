"""The verb by which people put right what the model said."""

from dataclasses import asdict
from typing import Annotated

import typer

from flows.commands.options import Json, print_json

Identity = Annotated[str, typer.Argument(metavar="ID", help="The manifestation's id.")]
Category = Annotated[str | None, typer.Option(help="The right urban category.")]
Sentiment = Annotated[str | None, typer.Option(help="The right sentiment.")]
Intent = Annotated[str | None, typer.Option(help="The right intent.")]
By = Annotated[str, typer.Option(help="Your code or pseudonym, such as E-07; no name.")]
Note = Annotated[str | None, typer.Option(help="Why, in a sentence.")]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("correct", epilog="Example: manifiesta correct ID --category waste --by E-07")(
        correct_text
    )


def correct_text(
    id: Identity,  # noqa: A002 - the argument is ID
    by: By,
    category: Category = None,
    sentiment: Sentiment = None,
    intent: Intent = None,
    note: Note = None,
    as_json: Json = False,
) -> None:
    """Put a text's labels right; they outrank the model's in the next count."""
    from configs.settings import Settings
    from flows.house import open_store
    from pipelines.corrections import correct

    labels = {"category": category, "sentiment": sentiment, "intent": intent}
    given = correct(open_store(Settings.load()), id, labels, by, note)
    if as_json:
        print_json(asdict(given))
        return
    said = ", ".join(f"{task} {label}" for task, label in labels.items() if label)
    typer.echo(f"{id}: {said} (by {by}). The next `manifiesta aggregate` counts with it.")
