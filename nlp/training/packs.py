"""A prepared training as a small folder, to be carried to a machine with a GPU.

Token ids are stored as little-endian uint16 compressed by xz (about 0.8 bytes a token), the
first embeddings as float16, every file under 16 MiB.
"""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from nlp.training.prepared import Prepared
from nlp.training.vocabulary import load_tokenizer

INDEX = "pack.json"
LIMIT_MIB = 64.0
_MIB = 1024 * 1024
_PIECE_BYTES = 16_000_000


def is_pack(folder: Path) -> bool:
    """Say whether `folder` was written by `write_pack`."""
    return (folder / INDEX).exists()


def write_pack(prepared: Prepared, folder: Path, limit_mib: float = LIMIT_MIB) -> float:
    """Write what training starts from to `folder`; return its size in MiB.

    Raises ModelError where the size is over `limit_mib`, saying what each part takes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.xz"):
        old.unlink()
    prepared.tokenizer.save(str(folder / "tokenizer.json"))
    arrays: dict[str, npt.NDArray[Any]] = dict(prepared.rows)
    if prepared.vectors is not None:
        arrays["vectors"] = prepared.vectors.astype("<f2")
    index = {name: _write_array(array, folder, name) for name, array in arrays.items()}
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.iterdir()) / _MIB
    if size > limit_mib:
        parts = (f"{name} {_size(folder, name):.1f}" for name in index)
        raise ModelError(
            f"{folder} takes {size:.1f} MiB, more than {limit_mib:g} ({', '.join(parts)}): lower "
            "the characters of a genre in the recipe, or raise the limit"
        )
    return size


def read_pack(folder: Path) -> Prepared:
    """Read a folder of `write_pack`; raises ModelError where a file is missing or damaged."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    try:
        arrays = {name: _read_array(folder, about) for name, about in index.items()}
        vectors = arrays.pop("vectors", None)
        kept = None if vectors is None else vectors.astype(np.float32)
        return Prepared(load_tokenizer(folder), arrays, kept)
    except (OSError, lzma.LZMAError, ValueError) as fault:
        raise ModelError(f"cannot read the pack {folder}: {fault}; pack the data again") from fault


def _write_array(array: npt.NDArray[Any], folder: Path, name: str) -> dict[str, Any]:
    files: list[str] = []
    for piece in _pieces(array):
        files.append(f"{name}-{len(files):03d}.xz")
        (folder / files[-1]).write_bytes(lzma.compress(piece))
    return {"dtype": array.dtype.str, "shape": list(array.shape), "files": files}


def _pieces(array: npt.NDArray[Any]) -> Iterator[bytes]:
    step = max(1, _PIECE_BYTES // array[:1].nbytes)
    for at in range(0, len(array), step):
        yield np.ascontiguousarray(array[at : at + step]).tobytes()


def _read_array(folder: Path, about: dict[str, Any]) -> npt.NDArray[Any]:
    content = b"".join(lzma.decompress((folder / name).read_bytes()) for name in about["files"])
    return np.frombuffer(content, about["dtype"]).reshape(about["shape"])


def _size(folder: Path, name: str) -> float:
    return sum(path.stat().st_size for path in folder.glob(f"{name}-*.xz")) / _MIB
