# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""etc_mlir's compiler and CPU engine."""

from collections.abc import Sequence
from typing import Any

class AffineMap:
    """A map from dimensions and symbols to integers."""

    @property
    def num_dims(self) -> int: ...
    @property
    def num_symbols(self) -> int: ...
    @property
    def num_results(self) -> int: ...
    def __call__(self, dims: Sequence[int] = [], symbols: Sequence[int] = []) -> list[int]:
        """The results at these dimensions and symbols. Raises ValueError."""

    def dim(self, result: int) -> int | None:
        """The position of the dimension that a result is, or None."""

    def __eq__(self, arg: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __str__(self) -> str: ...
    def __repr__(self) -> str: ...

ROLES: tuple = ("input", "output", "weight", "state", "scratch")

LAYOUTS: tuple = ("row_major", "mma_fragments")

class Value:
    """An SSA value; equal and hashed by identity."""

    @property
    def type(self) -> str: ...
    @property
    def shape(self) -> list[int | None] | None:
        """Extents, None where dynamic; None if it has no shape."""

    @property
    def dtype(self) -> str:
        """The type of its elements, or its type."""

    @property
    def owner(self) -> Operation | None:
        """The operation that defines it; None for a block argument."""

    @property
    def index(self) -> int:
        """Its position among the results or the block's arguments."""

    def __eq__(self, arg: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...

class Operation:
    """
    An operation of a module. Invalid once `Module.run` has changed it or it is erased.
    """

    @property
    def name(self) -> str: ...
    @property
    def operands(self) -> list[Value]: ...
    @property
    def results(self) -> list[Value]: ...
    @property
    def attributes(self) -> dict[str, Any]:
        """
        Name to value: int, float, str, bool, list, dict, AffineMap, None for unit.
        """

    def attribute_text(self, name: str) -> str:
        """An attribute as MLIR prints it. Raises KeyError."""

    def set_attribute(self, name: str, text: str) -> None:
        """Parses `text` and sets the attribute. Raises CompileError."""

    @property
    def regions(self) -> list[Region]: ...
    @property
    def successors(self) -> list[Block]: ...
    @property
    def parent(self) -> Operation | None: ...
    @property
    def location(self) -> str: ...
    def erase(self) -> None:
        """Erases the operation. Raises ValueError while its results are used."""

    def __eq__(self, arg: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __str__(self) -> str: ...

class Region:
    @property
    def blocks(self) -> list[Block]: ...
    def append_block(self, argument_types: Sequence[str] = []) -> Block:
        """Appends a block with arguments of these types. Raises CompileError."""

class Block:
    @property
    def arguments(self) -> list[Value]: ...
    @property
    def operations(self) -> list[Operation]: ...
    def append(
        self,
        name: str,
        operands: Sequence[Value] = [],
        attributes: dict = {},
        results: Sequence[str] = [],
        regions: int = 0,
        location: str = "",
    ) -> Operation:
        """
        Appends an operation by name. `attributes` maps names to MLIR text, `results` are
        types as text. Verified by `Module.verify`. Raises CompileError, ValueError.
        """

    def __eq__(self, arg: object, /) -> bool: ...
    def __hash__(self) -> int: ...

class Context:
    """Owns types and attributes; one is enough for a process."""

    def __init__(self) -> None: ...

class Module:
    """A module of IR at any level."""

    @staticmethod
    def parse(context: Context, text: str, name: str = "<string>") -> Module:
        """
        Parses and verifies text; `name` is the file name of its locations.
        Raises CompileError.
        """

    @staticmethod
    def empty(context: Context) -> Module:
        """A module without operations."""

    def str(self, generic: bool = False, debug: bool = False) -> str:
        """The text of the module, with locations if `debug`."""

    def __str__(self) -> str: ...
    @property
    def operation(self) -> Operation: ...
    @property
    def body(self) -> Block: ...
    def clone(self) -> Module: ...
    def verify(self) -> None:
        """Raises CompileError if an operation breaks a constraint."""

    def run(
        self, pipeline: str, phase: str | None = None, verify: bool = True, dump_dir: str = ""
    ) -> None:
        """
        Runs a pass pipeline as etc-opt's --pass-pipeline spells it; operations taken from
        the module before are invalid after. `dump_dir` gets the IR after each pass. Raises
        CompileError and then leaves the module as it was.
        """

    def gpu_objects(self) -> list[dict[str, Any]]:
        """[{name, format, data}] of every gpu.binary: PTX or cubin bytes."""

    def programs(self) -> list[dict[str, Any]]:
        """The tables of every task.program as dictionaries."""

def pipeline_error(pipeline: str) -> str:
    """Why `Module.run` would not take a pipeline; empty if it would."""

class CpuEngine:
    """Machine code of one worker function."""

    def __init__(self, module: Module, worker: str) -> None:
        """Compiles a module in the llvm dialect. Raises CompileError."""

    def run(self, contexts: int, workers: int) -> None:
        """
        Runs one thread per EtcContext of the array at address `contexts` until all left.
        """

ABI_VERSION: int = 1

ABI_SIZES: tuple = (120, 32, 24)
