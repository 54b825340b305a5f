# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A decoder's step on a GPU: its inputs, cache and outputs in the device's memory."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch

from etc_mlir.errors import OptionError
from etc_mlir.package import Buffer, Package
from etc_mlir.runtime.launch import Program
from etc_mlir.runtime.weights import DTYPES
from etc_mlir.trace import Trace

# Buffers begin where generated code may assume that they do.
_ALIGNMENT = 256


class GpuEngine:
    """See `etc_mlir.model.Engine`. Not for use by several threads at a time."""

    def __init__(self, package: Package, *, device: str = "cuda", trace: bool = False) -> None:
        """Loads the program and allocates all but the weights, which `program.bind` takes.

        Raises TargetError where the device cannot run the program, or has too little memory.
        """
        most = max(schedule.most_tasks for schedule in package.schedules)
        self._traced = trace
        self.program = Program(package, device, trace_capacity=most if trace else 0)
        self._buffers = {b.name: b for b in package.buffers if b.role in ("input", "output")}
        self._names = [s.name for s in package.symbols]
        largest = [s.max for s in package.symbols]
        inputs = [b for b in package.buffers if b.role == "input"]
        self._places: dict[str, tuple[int, int]] = {}
        end = 0
        for buffer in inputs:
            size = math.prod(buffer.extents(largest)) * 8
            self._places[buffer.name] = end, size
            end += -(-size // _ALIGNMENT) * _ALIGNMENT
        # All inputs of a step go to the device in one copy.
        self._staged = torch.zeros(
            end // 8, dtype=torch.int64, pin_memory=self.program.device.type == "cuda"
        )
        self._inputs = torch.zeros(end // 8, dtype=torch.int64, device=self.program.device)
        self._outputs = {
            b.name: self._zeros(b, largest) for b in package.buffers if b.role == "output"
        }
        self.program.bind(
            {b.name: self._zeros(b, largest) for b in package.buffers if b.role == "state"}
        )
        self._extents: tuple[int, ...] = ()

    def step(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """One step on ids, seq, pos, block_table and rows, whose extents are T and R."""
        tensors: dict[str, torch.Tensor] = {}
        for name, value in inputs.items():
            begin = self._places[name][0] // 8
            self._staged[begin : begin + value.size] = torch.from_numpy(value).reshape(-1)
            tensors[name] = self._inputs[begin : begin + value.size].view(value.shape)
        self._inputs.copy_(self._staged, non_blocking=True)
        extents = {"T": len(inputs["ids"]), "R": len(inputs["rows"])}
        symbols = {name: extents[name] for name in self._names}
        self._extents = tuple(symbols.values())
        tensors |= {name: self._narrowed(name) for name in self._outputs}
        self.program.run(tensors, symbols)
        return self._narrowed("tokens").cpu().numpy()

    def logits(self) -> np.ndarray:
        """The logits of the last step, f32 [R, V]."""
        return self._narrowed("logits").float().cpu().numpy()

    def trace(self) -> Trace:
        """The last step's timeline. Raises OptionError."""
        if not self._traced:
            raise OptionError("the kernel was loaded without trace: load it with trace=True")
        return self.program.trace()

    def _zeros(self, buffer: Buffer, symbols: list[int]) -> torch.Tensor:
        shape, device = buffer.extents(symbols), self.program.device
        return torch.zeros(shape, dtype=DTYPES[buffer.element], device=device)

    def _narrowed(self, name: str) -> torch.Tensor:
        """An output at the extents of the last step."""
        shape = self._buffers[name].extents(self._extents)
        return self._outputs[name].view(-1)[: math.prod(shape)].view(shape)
