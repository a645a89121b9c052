"""How much of a text a model's vocabulary doesn't know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from nlp.clean import clean
from nlp.manifest import SHIPPED

_UNKNOWN = 1  # the id of [UNK], see `nlp.training.vocabulary`


def unknown_shares(texts: Sequence[str], folder: Path | None = None) -> npt.NDArray[np.float64]:
    """Return, for each raw text, the share of its tokens that are unknown (0 to 1).

    `folder` holds the model's tokenizer; None means the shipped one. An empty text has 0.
    """
    tokenizer = Tokenizer.from_file(str((folder or SHIPPED) / "tokenizer.json"))
    encoded = tokenizer.encode_batch_fast([clean(text) for text in texts], add_special_tokens=False)
    return np.array([one.ids.count(_UNKNOWN) / max(1, len(one.ids)) for one in encoded])
