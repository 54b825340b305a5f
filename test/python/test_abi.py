# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""abi.py against abi.h: the same fields, at the same offsets, of the same sizes."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from etc_mlir.runtime import abi
from etc_mlir.trace import RECORD

INCLUDE = Path(__file__).parents[2] / "runtime" / "include"
HEADER = (INCLUDE / "etc_runtime" / "abi.h").read_text()
STRUCTS = ("EtcStatus", "EtcTraceRecord", "EtcContext")


def fields(struct: str) -> list[tuple[str, str]]:
    """(type, name) of each field of a struct of the header."""
    body = re.search(rf"typedef struct {struct} {{(.*?)}} {struct};", HEADER, re.S)
    assert body
    code = re.sub(r"//.*", "", body[1])
    return re.findall(r"((?:const )?\w+ ?\*?)\s*(\w+);", code)


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda m: "_" + m[1].lower(), name)


@pytest.mark.parametrize("struct", STRUCTS)
def test_fields_have_the_order_and_the_sizes_of_the_header(struct):
    mirror = getattr(abi, struct)._fields_
    assert [name for name, _ in mirror] == [snake(name) for _, name in fields(struct)]
    for (name, ctype), (wanted, _) in zip(mirror, fields(struct), strict=True):
        bits = 64 if "*" in wanted else int(re.search(r"(\d+)_t", wanted)[1])  # type: ignore[index]
        assert ctypes.sizeof(ctype) * 8 == bits, name
        if "*" not in wanted:
            assert (ctype(-1).value < 0) == (not wanted.startswith("uint")), name


def test_asserted_sizes():
    sizes = re.findall(r"static_assert\(sizeof\((\w+)\) == (\d+)", HEADER)
    assert {name for name, _ in sizes} == set(STRUCTS)
    for struct, size in sizes:
        assert ctypes.sizeof(getattr(abi, struct)) == int(size)
    offsets = re.findall(r"static_assert\(offsetof\((\w+), (\w+)\) == (\d+)", HEADER)
    assert offsets
    for struct, field, offset in offsets:
        assert getattr(getattr(abi, struct), snake(field)).offset == int(offset)
    assert f"#define ETC_ABI_VERSION {abi.ABI_VERSION}\n" in HEADER


def test_offsets_of_a_compiler(tmp_path):
    compiler = next(filter(shutil.which, ("cc", "clang-22", "clang", "gcc")), None)
    if compiler is None:
        pytest.skip("no C compiler")
    lines = [
        f'printf("%zu\\n", offsetof({struct}, {name}));'
        for struct in STRUCTS
        for _, name in fields(struct)
    ]
    source, binary = tmp_path / "abi.c", tmp_path / "abi"
    program = "#include <stdio.h>\n#include <etc_runtime/abi.h>\nint main(void) {\n"
    source.write_text(program + "\n".join(lines) + "\nreturn 0; }\n")
    subprocess.run([compiler, f"-I{INCLUDE}", str(source), "-o", str(binary)], check=True)
    found = subprocess.run([str(binary)], capture_output=True, text=True, check=True).stdout
    wanted = [
        getattr(getattr(abi, struct), name).offset
        for struct in STRUCTS
        for name, _ in getattr(abi, struct)._fields_
    ]
    assert [int(line) for line in found.split()] == wanted


def test_trace_records_are_the_same_struct():
    record = abi.EtcTraceRecord
    assert RECORD.itemsize == ctypes.sizeof(record)
    assert RECORD.fields is not None
    for name, (_, offset, *_) in RECORD.fields.items():
        assert offset == getattr(record, name).offset
