# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every error that is the caller's to read: what was wrong, where, and what to do about it.

Pure Python, so that the runtime, the compiler and the command line share it. `etc` prints an
EtcError as one message and exits with 2; anything else is a defect of etc_mlir and keeps its
traceback.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class EtcError(Exception):
    """Base of the errors that etc_mlir raises on purpose."""


class OptionError(EtcError, ValueError):
    """An option, or an argument of a call, that cannot be used."""


class CheckpointError(EtcError, ValueError):
    """A checkpoint that cannot be used; the message names file and tensor and says what to do."""


class CacheFullError(EtcError, RuntimeError):
    """The paged key/value cache has no page left, or a sequence has reached its limit."""


class CompileError(EtcError, RuntimeError):
    """A phase of the compiler failed.

    phase: the name of its pipeline; diagnostics: what it reported; reproducer: the file that holds
    the input of the phase, or None; command: the etc-opt line that repeats the failure; locations:
    of the errors, in order.
    """

    def __init__(
        self,
        phase: str,
        diagnostics: str,
        *,
        reproducer: Path | None = None,
        command: str | None = None,
        locations: tuple[str, ...] = (),
    ) -> None:
        self.phase, self.diagnostics = phase, diagnostics
        self.reproducer, self.command, self.locations = reproducer, command, locations
        repeat = f"\nRepeat it with:\n  {command}" if command else ""
        super().__init__(f"phase '{phase}' failed:\n{diagnostics.rstrip()}{repeat}")


@dataclass(frozen=True)
class StuckWait:
    """What the first wait that exceeded its bound saw; EtcStatus of abi.h with names."""

    worker: int
    launch: int
    task: int
    event: int
    entry: int
    seen: int
    wanted: int
    launch_name: str = ""
    event_name: str = ""


def _awaited(wait: StuckWait) -> str:
    """What did not come; -1, -2 and -3 stand for what is no event (EventToNVVM.cpp)."""
    if wait.event == -1:
        return f"weights, or keys and values, for warp {wait.entry}"
    if wait.event == -2:
        return f"a word of this step's epoch, at address 8 * {wait.entry} modulo 2^34"
    if wait.event == -3:
        return "its loader, to leave the step before"
    name = f" ({wait.event_name})" if wait.event_name else ""
    return f"entry {wait.entry} of event {wait.event}{name}"


class WatchdogError(EtcError, RuntimeError):
    """A worker waited longer than the bound for an event; the kernel was ended."""

    def __init__(self, wait: StuckWait, timeout_s: float) -> None:
        self.wait, self.timeout_s = wait, timeout_s
        launch = f" ({wait.launch_name})" if wait.launch_name else ""
        super().__init__(
            f"worker {wait.worker}, task {wait.task} of launch {wait.launch}{launch} waited "
            f"{timeout_s:g} s for {_awaited(wait)}: seen {wait.seen}, wanted {wait.wanted}. The "
            "kernel was ended and its results are void; "
            "check the graph with etc-opt --verify-events --verify-schedule, or raise the bound "
            "if the machine is only slow (ETC_TIMEOUT_S)."
        )


class CheckError(EtcError, RuntimeError):
    """The events let a task run before what it reads was written, or after it was overwritten."""


class TargetError(EtcError, RuntimeError):
    """The target cannot run the program: no device, too few workers, a missing driver."""
