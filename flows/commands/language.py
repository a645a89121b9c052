"""Verbs about the model: classify, train."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from flows.commands.options import Model
from models.errors import ConfigError

Preset = TypeVar("Preset")


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.command("classify", epilog="Example: manifiesta classify texts.jsonl labels.jsonl")(
        classify
    )
    train = typer.Typer(help="Train the model anew.", no_args_is_help=True)
    train.command("pack", epilog="Example: manifiesta train pack --data DIR --out pack")(
        pack_training
    )
    train.command("pretrain", epilog="Example: manifiesta train pretrain --data DIR --out enc")(
        pretrain_encoder
    )
    train.command(
        "finetune", epilog="Example: manifiesta train finetune --data DIR --encoder enc --out model"
    )(finetune_heads)
    train.command(
        "calibrate",
        epilog="Example: manifiesta train calibrate --data DIR --model m --version 0.1.1",
    )(calibrate_model)
    app.add_typer(train, name="train")


def classify(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="Lines with id and text.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.jsonl", help="File to write.")],
    model: Model = None,
) -> None:
    """Classify texts by urban category, sentiment and intent, line by line.

    A bad line is reported with its number, the rest goes on, and the exit code is 3.
    """
    from configs.model import ModelSpec
    from flows.progress import progress_bar, reporter
    from nlp.classifier import Classifier
    from pipelines.texts import BadLine, classify_file

    def complain(line: BadLine) -> None:
        typer.echo(f"{source}:{line.number}: {line.problem}", err=True)

    classifier = Classifier.load(ModelSpec(path=model))
    with progress_bar(shown=True) as bars:
        done, bad = classify_file(
            source, target, classifier, complain, reporter(bars, "Classifying")
        )
    typer.echo(f"{done:,} texts classified into {target}; {bad:,} bad lines left out.", err=True)
    raise typer.Exit(3 if bad else 0)


Data = Annotated[Path, typer.Option(help="Folder of training data.", exists=True, file_okay=False)]
Out = Annotated[Path, typer.Option(help="Folder to write.")]
Recipe = Annotated[str, typer.Option(help="Named set of the recipe's numbers.")]
Resume = Annotated[bool, typer.Option(help="Go on from what is finished in --out.")]


def pack_training(
    data: Data,
    out: Out,
    recipe: Recipe = "gpu",
    limit: Annotated[float, typer.Option(help="Largest size in MiB.")] = 64.0,
) -> None:
    """Write what pretraining starts from as a small folder, to carry it to a machine with a GPU.

    There, `manifiesta train pretrain --data OUT/pack` trains on it.
    """
    from nlp.training.packs import write_pack
    from nlp.training.prepared import prepare
    from nlp.training.recipes import PRETRAIN

    size = write_pack(prepare(data, out, _preset(PRETRAIN, recipe)), out / "pack", limit)
    typer.echo(
        f"Pack: {out / 'pack'}, {size:.1f} MiB. "
        f"Next: manifiesta train pretrain --data {out / 'pack'} --out enc --recipe {recipe}"
    )


def pretrain_encoder(
    data: Data,
    out: Out,
    recipe: Recipe = "cpu",
    resume: Resume = True,
    minutes: Annotated[
        float | None,
        typer.Option(help="Stop with a checkpoint after so many minutes of training (exit 3)."),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Go on from the encoder and tokenizer of these weights.", exists=True
        ),
    ] = None,
) -> None:
    """Train tokenizer, word vectors and encoder on plain text (DATA/lm/*.txt.xz) or on a pack.

    A GPU is used where there is one. Stopped or killed, the same command goes on.
    """
    from nlp.training.pretrain import pretrain
    from nlp.training.recipes import PRETRAIN

    limit = math.inf if minutes is None else minutes
    path = pretrain(data, out, _preset(PRETRAIN, recipe), resume, limit, weights)
    if path is None:
        typer.echo("Time is up, the state is saved. The same command goes on.", err=True)
        raise typer.Exit(3)
    typer.echo(f"Encoder: {path}. Next: manifiesta train finetune --data {data} --encoder {path}")


def finetune_heads(
    data: Data,
    encoder: Annotated[Path, typer.Option(help="Encoder made by pretrain.", exists=True)],
    out: Out,
    recipe: Recipe = "cpu",
    corrections: Annotated[
        Path | None,
        typer.Option(help="Corrected texts, as `manifiesta export --corrections` writes them."),
    ] = None,
    resume: Resume = True,
) -> None:
    """Train the three heads on labelled texts; write weights and manifest.

    Stopped or killed, the same command goes on behind the last stage that it finished.
    """
    from nlp.training.finetune import finetune
    from nlp.training.recipes import FINETUNE

    path = finetune(data, encoder, out, _preset(FINETUNE, recipe), resume, corrections)
    typer.echo(f"Model: {path}. Next: manifiesta evaluate GOLD.jsonl --model {path}")


def calibrate_model(
    data: Data,
    model: Annotated[Path, typer.Option(help="Folder of the weights.", exists=True)],
    version: Annotated[str, typer.Option(help="New version: the answers change.")],
    recipe: Recipe = "cpu",
) -> None:
    """Fit temperatures, threshold and confusion counts of finished weights anew."""
    from nlp.training.recalibrate import recalibrate
    from nlp.training.recipes import FINETUNE

    path = recalibrate(data, model, version, _preset(FINETUNE, recipe))
    typer.echo(f"Calibrated: {path}, version {version}")


def _preset(presets: Mapping[str, Preset], name: str) -> Preset:
    if name not in presets:
        raise ConfigError(f"There is no recipe «{name}». There are: {', '.join(presets)}.")
    return presets[name]
