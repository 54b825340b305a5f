# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled program as one file: a header, a JSON text, and the cubin.

    bytes 0-7    b"ETCPROG\\0"
    bytes 8-11   version, little endian
    bytes 12-15  length of the JSON text
    bytes 16-47  sha256 of all that follows
    then         the JSON text (UTF-8) and the cubin

Reading needs the standard library alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from etc_mlir.errors import CompileError, EtcError
from etc_mlir.ptxas import assemble

MAGIC = b"ETCPROG\0"
VERSION = 3
_HEADER = struct.Struct("<8sII32s")

# An extent: a number, {"symbol": i}, or {"op": ..., "args": [a, b]}.
Extent = int | dict[str, Any]


class PackageError(EtcError, ValueError):
    """A file that is no package, or one that this version cannot use."""


def is_package(path: str | Path) -> bool:
    """Whether the file begins as a package does."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def evaluate(extent: Extent, symbols: Sequence[int]) -> int:
    """The value of an extent at the given symbols."""
    if isinstance(extent, int):
        return extent
    if "symbol" in extent:
        return symbols[extent["symbol"]]
    a, b = (evaluate(arg, symbols) for arg in extent["args"])
    match extent["op"]:
        case "add":
            return a + b
        case "mul":
            return a * b
        case "mod":
            return a % b
        case "floordiv":
            return a // b
        case "ceildiv":
            return -(-a // b)
    raise PackageError(f"an extent has the unknown operation {extent['op']!r}")


@dataclasses.dataclass(frozen=True)
class Symbol:
    name: str
    min: int
    max: int


@dataclasses.dataclass(frozen=True)
class Stack:
    """A weight made of others: `rows` rows of each source in turns; 0: one below the other."""

    sources: tuple[str, ...]
    rows: int

    @classmethod
    def of(cls, value: Any) -> Stack | None:
        """From the tables' JSON; None where a buffer is no stack."""
        if not isinstance(value, Mapping):
            return value
        return cls(tuple(value["sources"]), int(value["rows"]))


@dataclasses.dataclass(frozen=True)
class Buffer:
    """A slot of the buffer table. element: as MLIR spells it (f32, bf16, i64)."""

    name: str
    role: str
    layout: str
    element: str
    shape: tuple[Extent, ...]
    offset: int
    stack: Stack | None = None

    def __post_init__(self) -> None:
        # The tables are JSON: frozen fields take what they say here.
        object.__setattr__(self, "stack", Stack.of(self.stack))

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the tensors that it is made of: its own, where it is no stack."""
        return self.stack.sources if self.stack else (self.name,)

    @property
    def is_static(self) -> bool:
        """Whether its extents are the same in every step."""
        return all(isinstance(extent, int) for extent in self.shape)

    def extents(self, symbols: Sequence[int]) -> tuple[int, ...]:
        return tuple(evaluate(extent, symbols) for extent in self.shape)


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Who runs what up to `bucket`. runs: words {launch, first, stride, count}."""

    bucket: tuple[int, ...]
    policy: str
    offsets: tuple[int, ...]
    runs: tuple[int, ...]

    @property
    def workers(self) -> int:
        return len(self.offsets) - 1

    @property
    def most_tasks(self) -> int:
        """The most tasks that one worker runs: what a trace of a step must have room for."""
        counts = self.runs[3::4]
        return max(sum(counts[a:b]) for a, b in itertools.pairwise(self.offsets))


@dataclasses.dataclass(frozen=True)
class Package:
    """What `etc compile` writes and the runtime loads. tables: the JSON of export-program; model:
    of the step of a decoder, what `etc_mlir.decoder.Decoder` says; of a graph, empty."""

    tables: dict[str, Any]
    cubin: bytes
    target: str = "h200"
    arch: str = "sm_90a"
    commit: str = "unknown"
    registers: int = 0
    model: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.tables["name"]

    @property
    def ptx(self) -> str:
        return self.tables["ptx"]

    @property
    def symbols(self) -> list[Symbol]:
        return [Symbol(**symbol) for symbol in self.tables["symbols"]]

    @property
    def buffers(self) -> list[Buffer]:
        return [Buffer(**{**b, "shape": tuple(b["shape"])}) for b in self.tables["buffers"]]

    @property
    def tied(self) -> dict[str, tuple[str, ...]]:
        """Name of a weight -> the other names that a checkpoint may have for it."""
        return {n: tuple(w["tied"]) for n, w in self.model.get("weights", {}).items() if w["tied"]}

    @property
    def schedules(self) -> list[Schedule]:
        names = [field.name for field in dataclasses.fields(Schedule)]

        def frozen(value: Any) -> Any:
            return tuple(value) if isinstance(value, list) else value

        return [Schedule(**{n: frozen(s[n]) for n in names}) for s in self.tables["schedules"]]

    @classmethod
    def assemble(
        cls, exported: str, target: str = "h200", arch: str = "sm_90a", commit: str = "unknown"
    ) -> Package:
        """The package of what `export-program` wrote. Raises CompileError if ptxas spills."""
        tables = json.loads(exported)
        made = assemble(tables["ptx"], arch)
        if made.spill_bytes:
            raise CompileError(
                "ptxas", f"the kernel spills {made.spill_bytes} bytes of registers:\n{made.log}"
            )
        return cls(tables, made.cubin, target, arch, commit, made.registers)

    def to_bytes(self) -> bytes:
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        del values["cubin"]
        text = json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
        payload = text + self.cubin
        digest = hashlib.sha256(payload).digest()
        return _HEADER.pack(MAGIC, VERSION, len(text), digest) + payload

    def write(self, path: str | Path) -> None:
        Path(path).write_bytes(self.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes, origin: str = "package") -> Package:
        """The package in `data`. Raises PackageError, which says what is wrong with it."""
        if len(data) < _HEADER.size or data[:8] != MAGIC:
            raise PackageError(f"{origin} is no etc package: it does not begin with its mark")
        _, version, length, digest = _HEADER.unpack_from(data)
        if version != VERSION:
            raise PackageError(
                f"{origin} has package version {version}, this etc_mlir reads {VERSION}: "
                "compile the model again, or use the version that wrote it"
            )
        payload = data[_HEADER.size :]
        if len(payload) < length or hashlib.sha256(payload).digest() != digest:
            raise PackageError(
                f"{origin} is cut short or damaged: its checksum does not fit. Copy it again."
            )
        try:
            values: Mapping[str, Any] = json.loads(payload[:length])
            return cls(cubin=payload[length:], **values)
        except (ValueError, TypeError) as error:
            raise PackageError(f"{origin} has a text that cannot be read: {error}") from error

    @classmethod
    def read(cls, path: str | Path) -> Package:
        """The package in the file `path`. Raises PackageError."""
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise PackageError(f"{path} cannot be read: {error.strerror}") from error
        return cls.from_bytes(data, str(path))
