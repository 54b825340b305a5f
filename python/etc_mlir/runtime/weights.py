# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights on their way to the memory that a program reads: stacked, packed, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from etc_mlir.errors import OptionError
from etc_mlir.package import Buffer
from etc_mlir.runtime.layout import pack_fragments, stack_rows

DTYPES = {
    "f32": torch.float32,
    "bf16": torch.bfloat16,
    "f16": torch.float16,
    "i64": torch.int64,
    "i32": torch.int32,
}


def check(
    buffer: Buffer,
    tensor: torch.Tensor,
    device: torch.device,
    symbols: Sequence[int] | None = None,
) -> None:
    """The tensor has the buffer's type and its shape at these symbols; without symbols, the shape
    is looked at where it is of numbers alone. Raises OptionError."""
    if tensor.dtype != DTYPES[buffer.element] or tensor.device != device:
        raise OptionError(
            f"buffer '{buffer.name}' is {buffer.element} on {device}, got {tensor.dtype} "
            f"on {tensor.device}"
        )
    if symbols is None and not buffer.is_static:
        return
    shape = buffer.extents(symbols or ())
    if tuple(tensor.shape) != shape or not tensor.is_contiguous():
        raise OptionError(
            f"buffer '{buffer.name}' is {list(shape)} and contiguous, got "
            f"{list(tensor.shape)} with strides {list(tensor.stride())}"
        )


class Upload:
    """Copies tensors to a GPU through two pinned buffers in turn: the host fills one while the
    other is on its way. What is mapped from a file comes at a third of that speed otherwise."""

    def __init__(self, device: torch.device, size: int = 64 << 20) -> None:
        """size: bytes of a buffer, made when the first tensor comes that needs one."""
        self._device, self._size = device, size
        self._buffers: list[torch.Tensor] = []
        self._sent: list[torch.cuda.Event] = []
        self._next = 1  # the buffer that was filled last

    def send(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor on the device, for what the current stream does from now on."""
        if self._device.type != "cuda" or tensor.device.type != "cpu":
            return tensor.to(self._device)
        tensor = tensor.contiguous()
        result = torch.empty_like(tensor, device=self._device)
        source = tensor.view(-1).view(torch.uint8)
        target = result.view(-1).view(torch.uint8)
        for begin in range(0, len(source), self._size):
            part = source[begin : begin + self._size]
            buffer, sent = self._free_buffer()
            buffer[: len(part)].copy_(part)
            target[begin : begin + len(part)].copy_(buffer[: len(part)], non_blocking=True)
            sent.record(torch.cuda.current_stream(self._device))
        return result

    def _free_buffer(self) -> tuple[torch.Tensor, torch.cuda.Event]:
        if len(self._buffers) < 2:
            self._buffers.append(torch.empty(self._size, dtype=torch.uint8, pin_memory=True))
            self._sent.append(torch.cuda.Event())
            return self._buffers[-1], self._sent[-1]
        self._next = 1 - self._next
        self._sent[self._next].synchronize()
        return self._buffers[self._next], self._sent[self._next]

    def finish(self) -> None:
        """Waits for the copies, and lets go of the buffers."""
        for sent in self._sent:
            sent.synchronize()
        self._buffers, self._sent = [], []


class Intake:
    """Takes the tensors of a checkpoint in any order and gives the buffers that they complete.

    A row-major copy on the device lives until its buffer is complete, and no longer: what is held
    beside the result is one buffer's sources and, while it is packed, one copy of it.
    """

    def __init__(
        self,
        buffers: Sequence[Buffer],
        device: torch.device,
        tied: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """tied: name -> other names that a checkpoint may have for it."""
        self._device = device
        self._upload = Upload(device)
        self._readers: dict[str, list[Buffer]] = {}
        for buffer in buffers:
            if buffer.role != "scratch":
                for name in buffer.sources:
                    self._readers.setdefault(name, []).append(buffer)
        self._names = {o: name for name, others in (tied or {}).items() for o in others}
        self._taken: set[str] = set()
        self._waiting: dict[str, dict[str, torch.Tensor]] = {}

    def take(self, name: str, tensor: torch.Tensor) -> dict[str, torch.Tensor]:
        """Buffer -> its memory, for all that are complete now. tensor: on any device.

        Raises OptionError for a name that nobody reads and a tensor that does not fit, TargetError
        for one that cannot be packed.
        """
        own = name if name in self._readers else self._names.get(name, name)
        if own not in self._readers:
            raise OptionError(f"the program has no buffer '{name}'")
        if own in self._taken:
            return {}  # the same storage, under another of its names
        self._taken.add(own)
        tensor = self._upload.send(tensor)
        found: dict[str, torch.Tensor] = {}
        for buffer in self._readers[own]:
            parts = self._waiting.setdefault(buffer.name, {})
            parts[own] = tensor
            if len(parts) == len(set(buffer.sources)):
                found[buffer.name] = self._make(buffer, self._waiting.pop(buffer.name))
        return found

    def finish(self) -> None:
        """Waits for the device to have everything. Raises OptionError for a stack of which a part
        is missing."""
        self._upload.finish()
        for name, parts in self._waiting.items():
            buffer = next(b for b in self._readers[next(iter(parts))] if b.name == name)
            missing = [source for source in buffer.sources if source not in parts]
            raise OptionError(
                f"weight '{name}' is made of {', '.join(buffer.sources)}; not given: "
                f"{', '.join(missing)}"
            )

    def _make(self, buffer: Buffer, parts: dict[str, torch.Tensor]) -> torch.Tensor:
        tensor = parts[buffer.sources[0]]
        if buffer.stack is not None:
            tensor = stack_rows([parts[name] for name in buffer.sources], buffer.stack.rows)
        tensor = tensor.contiguous()
        check(buffer, tensor, self._device)
        return pack_fragments(tensor) if buffer.layout == "mma_fragments" else tensor
