# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The structs of runtime/include/etc_runtime/abi.h, for the GPU runtime."""

from __future__ import annotations

import ctypes

ABI_VERSION = 2


class EtcStatus(ctypes.Structure):
    """What the first wait that exceeded its bound saw."""

    _fields_ = (
        ("state", ctypes.c_uint32),
        ("worker", ctypes.c_int32),
        ("launch", ctypes.c_int32),
        ("task", ctypes.c_int32),
        ("event", ctypes.c_int32),
        ("entry", ctypes.c_int32),
        ("seen", ctypes.c_uint32),
        ("wanted", ctypes.c_uint32),
    )


class EtcTraceRecord(ctypes.Structure):
    """One traced task; end_ns is 0 while it runs."""

    _fields_ = (
        ("begin_ns", ctypes.c_int64),
        ("end_ns", ctypes.c_int64),
        ("launch", ctypes.c_int32),
        ("task", ctypes.c_int32),
    )


class EtcContext(ctypes.Structure):
    """The argument of a launch; addresses are of device memory."""

    _fields_ = (
        ("buffers", ctypes.c_uint64),
        ("launches", ctypes.c_uint64),
        ("run_offsets", ctypes.c_uint64),
        ("runs", ctypes.c_uint64),
        ("counters", ctypes.c_uint64),
        ("events", ctypes.c_uint64),
        ("symbols", ctypes.c_uint64),
        ("bucket", ctypes.c_uint64),
        ("status", ctypes.c_uint64),
        ("trace", ctypes.c_uint64),
        ("trace_counts", ctypes.c_uint64),
        ("timeout_ns", ctypes.c_int64),
        ("epoch", ctypes.c_uint32),
        ("worker", ctypes.c_int32),
        ("workers", ctypes.c_int32),
        ("trace_capacity", ctypes.c_int32),
        ("current_launch", ctypes.c_int32),
        ("current_task", ctypes.c_int32),
        ("steps", ctypes.c_int32),
        ("step_bytes", ctypes.c_int32),
    )
