# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The package of the small model around a kernel that is the imported step in torch."""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch_engine import TINY

from etc_mlir.compiler import describe, import_for
from etc_mlir.interpreter.torch_level import TorchLevel
from etc_mlir.options import CompileOptions
from etc_mlir.package import Package
from etc_mlir.report import silent
from etc_mlir.runtime.abi import EtcContext
from etc_mlir.runtime.weights import DTYPES

ELEMENTS = {dtype: name for name, dtype in DTYPES.items()}
OPTIONS = CompileOptions.of(target="h200", max_batch=3, max_seq=64, max_tokens=8)
ROOT = Path(__file__).parents[2]


def memory(address: int, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    size = math.prod(shape) * dtype.itemsize
    raw = (ctypes.c_uint8 * size).from_address(address)
    return torch.from_numpy(np.ctypeslib.as_array(raw)).view(dtype).view(shape)


class Tiny:
    """The package of the small model, without machine code, and what stands for that."""

    def __init__(self) -> None:
        found = import_for(TINY, OPTIONS, silent)
        symbols = list(found.ranges)
        outputs = [r for r in found.results if r.role == "output"]
        buffers = [
            {
                "name": a.name,
                "role": a.role,
                "layout": "row_major",
                "element": ELEMENTS[a.dtype],
                "shape": [
                    {"symbol": symbols.index(d)} if isinstance(d, str) else d for d in a.shape
                ],
                "offset": 0,
            }
            for a in (*found.arguments, *outputs)
        ]
        largest = [found.ranges[s][1] for s in symbols]
        schedule = {"bucket": largest, "policy": "list", "offsets": [0, 1], "runs": [0, 0, 1, 1]}
        tables: dict[str, Any] = {
            "name": "step",
            "kernel": "step_worker",
            "threads": 288,
            "shared_bytes": 2048,
            "symbols": [{"name": s, "min": 1, "max": found.ranges[s][1]} for s in symbols],
            "buffers": buffers,
            "launch_names": ["all"],
            "launch_width": 1,
            "launches": [0],
            "event_names": [],
            "events": [],
            "counter_words": 0,
            "scratch_bytes": 0,
            "many_steps": True,
            "traced": True,
            "schedules": [schedule],
        }
        model = describe(TINY, found, OPTIONS).to_json()
        self.package = Package.from_bytes(Package(tables, b"code", model=model).to_bytes())
        self.level = TorchLevel(found.text)

    def kernel(self, context: EtcContext) -> None:
        buffers, count = self.package.buffers, len(self.package.symbols)
        symbols = list((ctypes.c_int64 * count).from_address(context.symbols))
        addresses = (ctypes.c_int64 * len(buffers)).from_address(context.buffers)
        held = {
            b.name: memory(address, b.extents(symbols), DTYPES[b.element])
            for b, address in zip(buffers, addresses, strict=True)
        }
        given = {b.name: held[b.name] for b in buffers if b.role != "output"}
        for name, value in self.level.run(given).items():
            held[name].copy_(value)
