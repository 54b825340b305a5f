# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A driver that is not there: devices whose memory is the host's, and whose kernel is Python."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from etc_mlir.runtime import launch as runtime
from etc_mlir.runtime.abi import EtcContext


class Driver:
    """Blocks fit as `per_sm` says; a launch is kept and runs `kernel` on the host's memory."""

    CUresult = SimpleNamespace(CUDA_SUCCESS=0)
    CUfunction_attribute = SimpleNamespace(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8)
    CUstream = staticmethod(lambda stream: stream)
    per_sm = 1

    def __init__(self) -> None:
        self.launches: list[tuple] = []
        self.kernel = lambda context: None

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> tuple:
            return (0, "handle")

        call.__name__ = name
        return call

    def cuFuncSetAttribute(self, kernel, attribute, value):  # noqa: N802
        return (0,) if value <= 232448 else (1,)

    def cuGetErrorString(self, status):  # noqa: N802
        return 0, b"invalid argument"

    def cuOccupancyMaxActiveBlocksPerMultiprocessor(self, *arguments):  # noqa: N802
        return 0, self.per_sm

    def cuLaunchCooperativeKernel(self, *arguments):  # noqa: N802
        self.launches.append(arguments)
        (address,), _ = arguments[-1]
        self.kernel(EtcContext.from_address(address))
        return (0,)


def install(monkeypatch: Any) -> Driver:
    """A device of three SMs whose memory is the host's."""
    fake = Driver()
    monkeypatch.setattr(runtime, "driver", fake)
    monkeypatch.setattr(runtime, "_find_device", lambda device, package: torch.device("cpu"))
    for name, value in {
        "device": lambda device: contextlib.nullcontext(),
        "get_device_properties": lambda device: SimpleNamespace(multi_processor_count=3),
        "get_device_name": lambda device=None: "a small GPU",
        "current_stream": lambda device: SimpleNamespace(cuda_stream=7),
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    return fake


def load_benchmark(monkeypatch: pytest.MonkeyPatch, name: str) -> ModuleType:
    """benchmarks/NAME.py, with events that tell no time."""

    class Event:
        record = staticmethod(lambda: None)
        elapsed_time = staticmethod(lambda other: 1.0)

    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    monkeypatch.setattr(torch.cuda, "Event", lambda enable_timing: Event)
    monkeypatch.setattr(torch.cuda, "_sleep", lambda cycles: None)
    return importlib.import_module(name)
