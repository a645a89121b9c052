"""The numbers of the two training stages, one frozen dataclass each, with named presets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class PretrainRecipe:
    """Tokenizer, word vectors and masked-language-model pretraining.

    `characters` is how much of each genre (`lm/<genre>.txt.xz`) is read, in characters, evenly
    spread over the file; `repeats` multiplies a genre's share of the batches, and
    `vector_repeats` its copies in the text of the word vectors. The genre `task` is the texts
    of the training sets. Only `last_genres` are read in the last `decay` steps.
    """

    name: str
    seed: int
    characters: Mapping[str, int]
    repeats: Mapping[str, float]
    last_genres: tuple[str, ...]
    tokenizer_characters: int
    keep_accents: bool
    vocabulary: int
    layers: int
    width: int
    heads: int
    feed_forward: int
    sequence: int
    batch: int
    steps: int
    warmup: int
    decay: int
    learning_rate: float
    embedding_rate: float
    weight_decay: float
    mask_start: float
    mask_end: float
    vector_epochs: int
    vector_window: int
    vector_repeats: Mapping[str, int]
    workers: int
    save_every: int
    task_repeats: int = 3


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass of fine-tuning: how many texts are drawn, from which sets, and how fast.

    With several `copies` it is run as often from the same start, and the weights are averaged.
    """

    name: str
    draws: Mapping[str, int]
    learning_rate: float
    copies: int = 1


@dataclass(frozen=True, slots=True)
class FinetuneRecipe:
    """Multi-task heads over a pretrained encoder.

    `balance` is the power of the label rarity in the weights, `averaged` the last part of each
    stage whose weights are averaged, `layer_decay` the factor of the learning rate from one
    layer to the one below, `head_factor` that of the heads.
    """

    name: str
    version: str
    seed: int
    stages: tuple[Stage, ...]
    tokens_per_batch: int
    max_tokens: int
    label_smoothing: float
    balance: float
    layer_decay: float
    head_factor: float
    weight_decay: float
    dropout: float
    augment: float
    averaged: float
    lexicon_strength: float
    lexicon_steps: int
    target_precision: float


_PRETRAIN_CPU = PretrainRecipe(
    name="cpu",
    seed=20,
    characters={
        "social": 40_000_000,
        "news_pe": 90_000_000,
        "films": 16_000_000,
        "speech_mx": 36_000_000,
    },
    repeats={"social": 3.0, "news_pe": 1.0, "films": 0.5, "speech_mx": 0.5, "task": 10.0},
    last_genres=("social", "news_pe", "task"),
    tokenizer_characters=12_000_000,
    keep_accents=True,
    vocabulary=16_000,
    layers=4,
    width=256,
    heads=4,
    feed_forward=384,
    sequence=128,
    batch=16,
    steps=5_600,
    warmup=100,
    decay=1_900,
    learning_rate=1.5e-3,
    embedding_rate=5e-4,
    weight_decay=0.05,
    mask_start=0.2,
    mask_end=0.15,
    vector_epochs=2,
    vector_window=6,
    vector_repeats={"social": 2, "task": 4},
    workers=2,
    save_every=200,
)

_FINETUNE_CPU = FinetuneRecipe(
    name="cpu",
    version="0.6.0",
    seed=20,
    stages=(
        Stage(
            "weak",
            {
                "emoji": 18_000,
                "reviews": 2_000,
                "emoevent": 6_000,
                "sentiment": 6_000,
                "civic": 4_000,
                "civic_peru": 2_000,
                "written": 2_000,
                "found": 17_000,
            },
            1.2e-3,
        ),
        Stage(
            "gold",
            {
                "civic": 23_000,
                "civic_peru": 9_000,
                "written": 18_000,
                "sentiment": 22_000,
                "found": 8_000,
            },
            1.2e-3,
            copies=2,
        ),
    ),
    tokens_per_batch=1_600,
    max_tokens=128,
    label_smoothing=0.1,
    balance=0.3,
    layer_decay=0.8,
    head_factor=2.0,
    weight_decay=0.05,
    dropout=0.1,
    augment=0.3,
    averaged=0.3,
    lexicon_strength=5.0,
    lexicon_steps=60,
    target_precision=0.8,
)

# 6 x 21 M weights x 1.2 G tokens are 1.5e17 operations: about a quarter of an hour on one large
# GPU, in two pieces (`--minutes 9`). Its pack stays under 64 MiB.
_PRETRAIN_GPU = replace(
    _PRETRAIN_CPU,
    name="gpu",
    characters={
        "social": 40_000_000,
        "news_pe": 90_000_000,
        "films": 16_000_000,
        "speech_mx": 120_000_000,
        "novels": 20_000_000,
    },
    repeats={
        "social": 3.0,
        "news_pe": 1.5,
        "films": 1.0,
        "speech_mx": 0.5,
        "novels": 0.5,
        "task": 10.0,
    },
    vocabulary=24_000,
    layers=12,
    width=384,
    heads=6,
    feed_forward=576,
    batch=1_024,
    steps=9_000,
    warmup=400,
    decay=2_700,
    learning_rate=1.5e-3,
    embedding_rate=1e-3,
    mask_start=0.3,
    mask_end=0.15,
    vector_epochs=0,
    workers=8,
    save_every=500,
)

_FINETUNE_GPU = replace(
    _FINETUNE_CPU,
    name="gpu",
    stages=(
        Stage(
            "weak",
            {
                "emoji": 100_000,
                "reviews": 20_000,
                "emoevent": 16_000,
                "sentiment": 16_000,
                "civic": 8_000,
                "civic_peru": 4_000,
                "written": 6_000,
                "found": 34_000,
            },
            4e-4,
        ),
        Stage(
            "gold",
            {
                "civic": 40_000,
                "civic_peru": 18_000,
                "written": 24_000,
                "sentiment": 40_000,
                "found": 16_000,
            },
            4e-4,
            copies=3,
        ),
    ),
    tokens_per_batch=4_000,
    max_tokens=128,
)

PRETRAIN: Mapping[str, PretrainRecipe] = {
    "cpu": _PRETRAIN_CPU,
    # From finished weights (`--from nlp/weights`): half an hour more of the same texts.
    "more": replace(
        _PRETRAIN_CPU, name="more", seed=21, steps=3_600, decay=1_400, learning_rate=1.2e-3
    ),
    "gpu": _PRETRAIN_GPU,
    "tiny": replace(
        _PRETRAIN_CPU,
        name="tiny",
        vocabulary=800,
        layers=1,
        width=32,
        heads=2,
        feed_forward=32,
        sequence=32,
        batch=8,
        steps=12,
        warmup=2,
        decay=4,
        workers=1,
        save_every=6,
    ),
}
# From finished weights (`--encoder nlp/weights`): what was learnt stays, new texts join.
_FINETUNE_MORE = replace(
    _FINETUNE_CPU,
    name="more",
    version="0.5.0",
    stages=(
        Stage(
            "gold",
            {
                "civic": 23_000,
                "civic_peru": 7_700,
                "written": 64_000,
                "sentiment": 18_000,
                "found": 14_000,
            },
            8e-4,
            copies=2,
        ),
    ),
)

FINETUNE: Mapping[str, FinetuneRecipe] = {
    "cpu": _FINETUNE_CPU,
    "more": _FINETUNE_MORE,
    "gpu": _FINETUNE_GPU,
    "tiny": replace(
        _FINETUNE_CPU,
        name="tiny",
        stages=(Stage("gold", {"civic": 600, "written": 0, "sentiment": 100}, 1e-2),),
        max_tokens=48,
        lexicon_steps=20,
    ),
}
