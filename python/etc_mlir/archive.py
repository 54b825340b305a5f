# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model in one file, without its weights: what `etc compile` writes.

A zip of `manifest.json`, `program.json` (the tables), `code` (the module for this target) and
`constants.safetensors` (weights that no checkpoint holds). The kernel cache holds the same parts.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from etc_mlir.errors import EtcError
from etc_mlir.model import KernelStats
from etc_mlir.options import CompileOptions
from etc_mlir.program import Program

FORMAT = 2
_MANIFEST, _PROGRAM, _CODE, _CONSTANTS = (
    "manifest.json",
    "program.json",
    "code",
    "constants.safetensors",
)


class ArchiveError(EtcError, ValueError):
    """A file that `etc compile` did not write, or that is damaged."""


@dataclasses.dataclass(frozen=True)
class Archive:
    """model: the folder of the weights, or ""; weights: name -> (other names, shape, dtype);
    grids: bucket, as "4x1" -> the extents of the grid of each launch; graph: the scheduled module,
    if the options ask for checks.
    """

    options: CompileOptions
    program_text: bytes
    code: bytes
    constants: bytes
    vocab_size: int
    eos: tuple[int, ...]
    model: str
    weights: Mapping[str, tuple[tuple[str, ...], tuple[int, ...], str]]
    grids: Mapping[str, Sequence[Sequence[int]]]
    graph: str = ""

    @cached_property
    def program(self) -> Program:
        return Program.parse(self.program_text)

    def stats(self) -> KernelStats:
        """Of a step with one token: the smallest bucket."""
        return KernelStats.of(self.program)

    def files(self) -> dict[str, bytes]:
        manifest = {
            "format": FORMAT,
            "options": dataclasses.asdict(self.options),
            "vocab_size": self.vocab_size,
            "eos": self.eos,
            "model": self.model,
            "weights": self.weights,
            "grids": self.grids,
            "graph": self.graph,
        }
        return {
            _MANIFEST: json.dumps(manifest, indent=1).encode(),
            _PROGRAM: self.program_text,
            _CODE: self.code,
            _CONSTANTS: self.constants,
        }

    @classmethod
    def of(cls, files: Mapping[str, bytes]) -> Archive:
        """From the parts. Raises ArchiveError, OptionError."""
        try:
            manifest: dict[str, Any] = json.loads(files[_MANIFEST])
            if manifest["format"] != FORMAT:
                raise ArchiveError(
                    f"format {manifest['format']}, this etc_mlir reads {FORMAT}. Compile it again."
                )
            return cls(
                options=CompileOptions.from_json(manifest["options"]),
                program_text=files[_PROGRAM],
                code=files[_CODE],
                constants=files[_CONSTANTS],
                vocab_size=int(manifest["vocab_size"]),
                eos=tuple(manifest["eos"]),
                model=manifest["model"],
                weights={
                    name: (tuple(tied), tuple(shape), dtype)
                    for name, (tied, shape, dtype) in manifest["weights"].items()
                },
                grids=manifest["grids"],
                graph=manifest["graph"],
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ArchiveError(f"a part is missing or damaged ({error!r})") from error

    def save(self, path: Path) -> None:
        """Raises ArchiveError if it cannot be written."""
        try:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
                for name, data in self.files().items():
                    file.writestr(name, data)
        except OSError as error:
            raise ArchiveError(f"{path} cannot be written: {error.strerror}") from error

    @classmethod
    def open(cls, path: Path) -> Archive:
        """Raises ArchiveError."""
        try:
            with zipfile.ZipFile(path) as file:
                return cls.of({name: file.read(name) for name in file.namelist()})
        except FileNotFoundError:
            raise ArchiveError(f"{path} is not there. Make it with `etc compile`.") from None
        except (OSError, zipfile.BadZipFile, ArchiveError) as error:
            raise ArchiveError(f"{path} is not a file of `etc compile`: {error}") from error
