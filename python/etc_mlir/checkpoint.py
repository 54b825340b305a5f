# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A folder in Hugging Face's layout: checked as a whole first, loaded tensor by tensor afterwards.

`config.json`, then `model.safetensors` or `model.safetensors.index.json` with its shards, and
`tokenizer.json` when there is one. Opening reads headers only.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from etc_mlir.errors import CheckpointError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_AGAIN = "Download or copy the checkpoint again."
# How many defects a message lists before it only counts them.
_LISTED = 8
_DTYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """Where a tensor lies and what it is, from the header of its file."""

    file: Path
    shape: tuple[int, ...]
    dtype: torch.dtype


class Checkpoint:
    """An opened checkpoint. `tensors` maps a name to its TensorInfo; `load` alone reads data."""

    def __init__(
        self, directory: Path, config: dict[str, Any], tensors: Mapping[str, TensorInfo]
    ) -> None:
        self.directory = directory
        self.config = config
        self.tensors = dict(tensors)
        # Filled by `validate`: the name that the model has -> the name that the file has.
        self._stored: dict[str, str] = {}

    @classmethod
    def open(cls, directory: str | os.PathLike[str]) -> Checkpoint:
        """Reads config.json, the index and the header of every weight file.

        Raises CheckpointError for a missing folder or file, bad JSON, a truncated file, and an
        index that disagrees with its shards.
        """
        root = Path(directory)
        if not root.is_dir():
            raise CheckpointError(f"{root} is not a folder. Give the folder that has config.json.")
        config = _read_json(root / "config.json")
        if (root / INDEX).is_file():
            tensors = _read_shards(root)
        elif (root / SINGLE).is_file():
            tensors = _read_header(root / SINGLE)
        else:
            raise CheckpointError(
                f"{root} has neither {SINGLE} nor {INDEX}. Other formats are not read: convert "
                "them with save_pretrained(folder, safe_serialization=True)."
            )
        return cls(root, config, tensors)

    @property
    def tokenizer_file(self) -> Path | None:
        path = self.directory / "tokenizer.json"
        return path if path.is_file() else None

    def tokenizer(self) -> Tokenizer | None:
        """The tokenizer, or None where the folder has no tokenizer.json."""
        path = self.tokenizer_file
        if path is None:
            return None
        from tokenizers import Tokenizer

        try:
            return Tokenizer.from_file(str(path))
        except Exception as error:
            raise CheckpointError(f"{path} is not a tokenizer: {error}. {_AGAIN}") from error

    def validate(
        self,
        expected: Mapping[str, tuple[tuple[int, ...], torch.dtype]],
        tied: Mapping[str, Iterable[str]] | None = None,
    ) -> list[str]:
        """Checks that every expected tensor is there with its shape and dtype.

        tied: further names under which a file may hold a tensor. Gives the names that the file has
        and nobody expects. Raises one CheckpointError that lists what is wrong.
        """
        wrong, stored = [], {}
        for name, (shape, dtype) in expected.items():
            names = [n for n in (name, *(tied or {}).get(name, ())) if n in self.tensors]
            if not names:
                wrong.append(f"'{name}' {_show(shape, dtype)} is in no file")
                continue
            stored[name] = names[0]
            found = self.tensors[names[0]]
            if (found.shape, found.dtype) != (tuple(shape), dtype):
                wrong.append(
                    f"'{names[0]}' in {found.file.name} is {_show(found.shape, found.dtype)}, the "
                    f"model has {_show(shape, dtype)}"
                )
        if wrong:
            more = f"\n  and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
            raise CheckpointError(
                f"the weights in {self.directory} are not those of the model:\n  "
                + "\n  ".join(wrong[:_LISTED])
                + more
                + "\nCheck that config.json belongs to these weights; where only a dtype differs, "
                "compile with the dtype of the file, or save the weights again with the other."
            )
        self._stored = stored
        used = set(stored.values()).union(*((tied or {}).values()))
        return sorted(set(self.tensors) - used)

    def load(self, name: str) -> Tensor:
        """The tensor, on the CPU. After `validate`, tied names are resolved."""
        return next(self.load_all([name]))[1]

    def load_all(self, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """(name, tensor) of each, file by file, so that a file is opened once."""
        places: dict[Path, list[tuple[str, str]]] = {}
        for name in names:
            stored = self._stored.get(name, name)
            if stored not in self.tensors:
                raise CheckpointError(
                    f"no file of {self.directory} has '{name}'. Call validate() before loading."
                )
            places.setdefault(self.tensors[stored].file, []).append((name, stored))
        for file, wanted in places.items():
            try:
                with safe_open(file, framework="pt") as handle:
                    for name, stored in wanted:
                        yield name, handle.get_tensor(stored)
            except (OSError, SafetensorError) as error:
                raise CheckpointError(f"{file} cannot be read: {error}. {_AGAIN}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing. {_AGAIN}") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path} is not readable JSON: {error}. {_AGAIN}") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} holds a {type(value).__name__}, not an object. {_AGAIN}")
    return value


def _read_shards(root: Path) -> dict[str, TensorInfo]:
    """The tensors of the index, each checked to be in the shard that the index names."""
    index = root / INDEX
    weight_map = _read_json(index).get("weight_map")
    if not isinstance(weight_map, dict) or not all(isinstance(f, str) for f in weight_map.values()):
        raise CheckpointError(f"{index} has no 'weight_map' of names to files. {_AGAIN}")
    headers: dict[str, dict[str, TensorInfo]] = {}
    for shard in sorted(set(weight_map.values())):
        # The index is data: it must not lead out of the folder.
        if Path(shard).name != shard:
            raise CheckpointError(f"{index} names '{shard}', which is not a file of the folder.")
        if not (root / shard).is_file():
            count = sum(file == shard for file in weight_map.values())
            raise CheckpointError(
                f"{root / shard} is missing; {INDEX} places {count} tensors in it. {_AGAIN}"
            )
        headers[shard] = _read_header(root / shard)
    for name, shard in weight_map.items():
        if name not in headers[shard]:
            raise CheckpointError(
                f"{root / shard} has no '{name}', where {INDEX} places it. {_AGAIN}"
            )
    return {name: headers[shard][name] for name, shard in weight_map.items()}


def _read_header(path: Path) -> dict[str, TensorInfo]:
    """The header of one safetensors file: 8 bytes of length, that many of JSON, then the data."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise CheckpointError(f"{path} is truncated: its header is incomplete. {_AGAIN}")
        try:
            header = json.loads(file.read(length))
            entries = {k: v for k, v in header.items() if k != "__metadata__"}
            found = {name: _entry(path, name, e, size - 8 - length) for name, e in entries.items()}
        except (UnicodeDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(
                f"{path} is not a safetensors file: {error!r}. {_AGAIN}"
            ) from error
    return found


def _entry(path: Path, name: str, entry: dict[str, Any], data_bytes: int) -> TensorInfo:
    if entry["dtype"] not in _DTYPES:
        raise CheckpointError(
            f"'{name}' in {path} has dtype {entry['dtype']}; known: {', '.join(_DTYPES)}. "
            "Save the weights in one of them."
        )
    dtype, shape = _DTYPES[entry["dtype"]], tuple(int(d) for d in entry["shape"])
    begin, end = (int(offset) for offset in entry["data_offsets"])
    if min(shape, default=0) < 0 or not 0 <= begin <= end:
        raise CheckpointError(f"'{name}' in {path} has a negative size. {_AGAIN}")
    if end > data_bytes:
        raise CheckpointError(
            f"{path} is truncated: '{name}' needs {end - data_bytes} more bytes. {_AGAIN}"
        )
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise CheckpointError(
            f"'{name}' in {path} is {_show(shape, dtype)} but has {end - begin} bytes. {_AGAIN}"
        )
    return TensorInfo(path, shape, dtype)


def _show(shape: Iterable[int], dtype: torch.dtype) -> str:
    return f"{list(shape)} {str(dtype).removeprefix('torch.')}"
