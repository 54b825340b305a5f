# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a watchdog says a worker waited for."""

import pytest

from etc_mlir.errors import StuckWait, WatchdogError


@pytest.mark.parametrize(
    ("event", "awaited"),
    [
        (4, "entry 7 of event 4 (linear.0)"),
        (-1, "weights, or keys and values, for warp 7"),
        (-2, "a word of this step's epoch, at address 8 * 7 modulo 2^34"),
        (-3, "its loader, to leave the step before"),
    ],
)
def test_awaited(event: int, awaited: str) -> None:
    name = "linear.0" if event >= 0 else ""
    error = WatchdogError(StuckWait(1, 2, 3, event, 7, 0, 1, "qkv", name), 0.5)
    assert f"task 3 of launch 2 (qkv) waited 0.5 s for {awaited}: seen 0, wanted 1." in str(error)
