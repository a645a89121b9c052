"""The subword tokenizer: lower case, words and symbols apart, WordPiece."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from nlp.clean import HANDLE, LINK

PAD, UNKNOWN, START, END, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL = (PAD, UNKNOWN, START, END, MASK, HANDLE, LINK)
PAD_ID, UNKNOWN_ID, START_ID, END_ID, MASK_ID = range(5)
ALPHABET = 700

_WORD = Regex(r"[^\W\d_]+|\d|_|[^\w\s]")


def blank_tokenizer(keep_accents: bool) -> Tokenizer:
    """Return an untrained tokenizer; without `keep_accents`, «á» is read as «a» (ñ stays)."""
    tokenizer = Tokenizer(models.WordPiece(unk_token=UNKNOWN, max_input_chars_per_word=60))
    steps: list[normalizers.Normalizer] = [normalizers.NFC(), normalizers.Lowercase()]
    if not keep_accents:
        steps += [normalizers.Replace(a, b) for a, b in zip("áéíóúü", "aeiouu", strict=True)]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(_WORD, behavior="removed", invert=True)
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def train_tokenizer(texts: Sequence[str], vocabulary: int, keep_accents: bool) -> Tokenizer:
    """Train the tokenizer; the ids of the special tokens are their places in `SPECIAL`.

    Encoding a text puts `[CLS]` before it and `[SEP]` after it. The single letters are given
    their ids beforehand: left to itself, the trainer numbers them in random order and breaks
    ties between merges by it, so that no two runs agree.
    """
    draft = blank_tokenizer(keep_accents)
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=[*SPECIAL, *_inner_letters(texts)],
        limit_alphabet=ALPHABET,
        min_frequency=2,
        show_progress=False,
    )
    draft.train_from_iterator(texts, trainer)
    tokenizer = blank_tokenizer(keep_accents)
    tokenizer.model = models.WordPiece(draft.get_vocab(), unk_token=UNKNOWN)
    tokenizer.add_special_tokens(
        [AddedToken(token, normalized=False, special=True) for token in SPECIAL]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, START_ID), (END, END_ID)]
    )
    return tokenizer


def _inner_letters(texts: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    for text in texts:
        seen.update(text.lower())
    common = sorted(seen.items(), key=lambda pair: (-pair[1], pair[0]))[:ALPHABET]
    return sorted(f"##{letter}" for letter, _ in common if letter.isalpha())


def load_tokenizer(folder: Path) -> Tokenizer:
    """Read `tokenizer.json` from a folder of weights."""
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
