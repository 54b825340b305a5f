# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Package files: what is written is read, and what is damaged says so."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
from no_compiler import run_without_compiler

from etc_mlir import package as package_module
from etc_mlir.errors import CompileError
from etc_mlir.package import VERSION, Package, PackageError, evaluate
from etc_mlir.ptxas import Assembly

ROOT = Path(__file__).parents[2]
N_BLOCKS = {"op": "ceildiv", "args": [{"symbol": 0}, 32]}
TABLES = {
    "name": "g",
    "kernel": "g_worker",
    "ptx": ".version 8.0",
    "symbols": [{"name": "n", "min": 1, "max": 64}],
    "buffers": [
        {
            "name": "x",
            "role": "input",
            "layout": "row_major",
            "element": "f32",
            "shape": [N_BLOCKS, 4],
            "offset": 0,
        }
    ],
    "schedules": [{"bucket": [64], "policy": "list", "offsets": [0, 1], "runs": [0, 0, 1, 2]}],
}
WHOLE = Package(TABLES, b"\x7fELF machine code", commit="abc", registers=40)


def test_round_trip(tmp_path):
    WHOLE.write(tmp_path / "g.etc")
    read = Package.read(tmp_path / "g.etc")
    assert read == WHOLE
    assert (read.name, read.ptx, read.arch, read.commit) == ("g", ".version 8.0", "sm_90a", "abc")
    assert [(s.name, s.min, s.max) for s in read.symbols] == [("n", 1, 64)]
    assert read.buffers[0].extents([33]) == (2, 4)
    assert read.schedules[0].workers == 1 and read.schedules[0].runs == (0, 0, 1, 2)


def test_every_cut_and_every_flipped_bit_is_found():
    data = WHOLE.to_bytes()
    for length in range(0, len(data), 7):
        with pytest.raises(PackageError):
            Package.from_bytes(data[:length])
    for position in range(0, len(data), 5):
        spoiled = bytearray(data)
        spoiled[position] ^= 0x10
        with pytest.raises(PackageError):
            Package.from_bytes(bytes(spoiled))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: b"PK\3\4" + data[4:], "m.etc is no etc package"),
        (lambda data: b"", "no etc package"),
        (
            lambda data: data[:8] + (VERSION + 1).to_bytes(4, "little") + data[12:],
            "version 4, this",
        ),
        (lambda data: data[:-1], "cut short or damaged: its checksum does not fit"),
        (lambda data: data[:12] + b"\xff\xff\xff\x7f" + data[16:], "cut short or damaged"),
        (lambda data: data[:16] + bytes(32) + data[48:], "checksum does not fit"),
    ],
)
def test_damage_is_named(spoil, message):
    with pytest.raises(PackageError, match=message):
        Package.from_bytes(spoil(WHOLE.to_bytes()), "m.etc")


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"unknown": 1}', b"\xff\xff"])
def test_a_text_with_a_right_checksum_may_still_be_wrong(text):
    digest = hashlib.sha256(text).digest()
    data = package_module._HEADER.pack(package_module.MAGIC, VERSION, len(text), digest) + text
    with pytest.raises(PackageError, match="text that cannot be read"):
        Package.from_bytes(data)


def test_absent_file(tmp_path):
    with pytest.raises(PackageError, match="cannot be read: No such file"):
        Package.read(tmp_path / "absent.etc")


def test_extents():
    s0: dict = {"symbol": 0}
    for op, wanted in {"add": 10, "mul": 21, "mod": 1, "floordiv": 2, "ceildiv": 3}.items():
        assert evaluate({"op": op, "args": [s0, 3]}, [7]) == wanted
    with pytest.raises(PackageError, match="unknown operation 'pow'"):
        evaluate({"op": "pow", "args": [s0, 3]}, [7])


def test_spills_are_refused(monkeypatch):
    made = Assembly(b"", 255, 16, "ptxas info: 16 bytes spill stores")
    monkeypatch.setattr(package_module, "assemble", lambda ptx, arch: made)
    with pytest.raises(CompileError, match="spills 16 bytes"):
        Package.assemble('{"ptx": ""}')
    monkeypatch.setattr(
        package_module, "assemble", lambda ptx, arch: dataclasses.replace(made, spill_bytes=0)
    )
    assert Package.assemble('{"ptx": ""}').registers == 255


def test_the_runtime_needs_no_compiler(tmp_path):
    """The native module and torch-mlir hidden, a package is read and evaluated."""
    WHOLE.write(tmp_path / "g.etc")
    program = f"""
import etc_mlir.runtime.launch, etc_mlir.runtime.hops, etc_mlir.runtime.layout
from etc_mlir.package import Package
print(Package.read({str(tmp_path / "g.etc")!r}).buffers[0].extents([64]))
assert not any("mlir" in name and not name.startswith("etc_mlir") for name in sys.modules)
"""
    done = run_without_compiler(program, tmp_path)
    assert done.stdout == "(2, 4)\n", done.stderr
