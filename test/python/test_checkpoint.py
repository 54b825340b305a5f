# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Opening, checking and loading of checkpoints, and what each kind of damage says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import save_file

from etc_mlir.checkpoint import INDEX, SINGLE, Checkpoint, CheckpointError
from etc_mlir.frontend.importer import import_model

TINY = Path(__file__).parents[1] / "data" / "tiny-qwen3"
TENSORS = {
    "a.weight": torch.arange(12, dtype=torch.float32).view(3, 4),
    "b.weight": torch.ones(5, dtype=torch.bfloat16),
    "c.weight": torch.zeros(2, 2),
}
EXPECTED = {name: (tuple(t.shape), t.dtype) for name, t in TENSORS.items()}
SHARDS = {"x-1.safetensors": ["a.weight", "b.weight"], "x-2.safetensors": ["c.weight"]}


@pytest.fixture(params=["single", "sharded"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return make(tmp_path, request.param == "sharded")


def make(root: Path, sharded: bool) -> Path:
    (root / "config.json").write_text('{"model_type": "none"}')
    if not sharded:
        save_file(TENSORS, root / SINGLE)
        return root
    for shard, names in SHARDS.items():
        save_file({n: TENSORS[n] for n in names}, root / shard)
    weight_map = {n: shard for shard, names in SHARDS.items() for n in names}
    (root / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return root


def test_load_gives_the_tensors(folder: Path) -> None:
    checkpoint = Checkpoint.open(folder)
    assert checkpoint.config == {"model_type": "none"}
    assert checkpoint.validate(EXPECTED) == []
    loaded = dict(checkpoint.load_all(EXPECTED))
    assert loaded.keys() == TENSORS.keys()
    assert all(torch.equal(loaded[n], t) and loaded[n].dtype == t.dtype for n, t in TENSORS.items())
    assert checkpoint.tokenizer() is None


def test_tied_tensor_is_found_under_its_other_name(folder: Path) -> None:
    checkpoint = Checkpoint.open(folder)
    expected = {"embed": EXPECTED["a.weight"]}
    assert checkpoint.validate(expected, {"embed": ("a.weight",)}) == ["b.weight", "c.weight"]
    assert torch.equal(checkpoint.load("embed"), TENSORS["a.weight"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"d.weight": ((2,), torch.float32)}, r"'d\.weight' \[2\] float32 is in no file"),
        (
            {"a.weight": ((4, 3), torch.float32)},
            r"'a\.weight' in .* is \[3, 4\] float32, the model",
        ),
        ({"b.weight": ((5,), torch.float32)}, r"'b\.weight' in .* is \[5\] bfloat16, the model"),
        ({f"e{i}": ((1,), torch.float32) for i in range(9)}, r"and 1 more"),
    ],
)
def test_mismatch_is_named(folder: Path, change: dict, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        Checkpoint.open(folder).validate({**EXPECTED, **change})


def truncate(name: str, size: int) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        data = (root / name).read_bytes()
        (root / name).write_bytes(data[:size])

    return damage


def write(name: str, data: bytes) -> Callable[[Path], None]:
    def damage(root: Path) -> None:
        (root / name).write_bytes(data)

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).unlink()


def header(**entry: object) -> bytes:
    text = json.dumps({"a.weight": entry}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(16)


def point_index(shard: str) -> Callable[[Path], None]:
    return write(INDEX, json.dumps({"weight_map": {"a.weight": shard}}).encode())


SINGLE_DAMAGE = {
    r"config\.json is missing": remove("config.json"),
    r"config\.json is not readable JSON": write("config.json", b"{"),
    r"config\.json is not readable JSON: 'utf-8'": write("config.json", b"\xff\xfe\x00"),
    r"config\.json holds a list": write("config.json", b"[]"),
    r"neither model\.safetensors nor": remove(SINGLE),
    r"model\.safetensors is truncated: its header": truncate(SINGLE, 20),
    r"model\.safetensors is truncated: its header is": truncate(SINGLE, 3),
    r"model\.safetensors is truncated: '[abc]\.weight' needs 4 more": truncate(SINGLE, -4),
    r"model\.safetensors is not a safetensors file": write(SINGLE, b"\x04" + bytes(7) + b"nope"),
    r"model\.safetensors is not a safetensors file: ": write(SINGLE, b"\x02" + bytes(7) + b"[]"),
    r"'a\.weight' in .* has dtype F4": write(
        SINGLE, header(dtype="F4", shape=[4], data_offsets=[0, 16])
    ),
    r"'a\.weight' in .* is \[3\] float32 but has 16 bytes": write(
        SINGLE, header(dtype="F32", shape=[3], data_offsets=[0, 16])
    ),
    r"'a\.weight' in .* has a negative size": write(
        SINGLE, header(dtype="F32", shape=[-4], data_offsets=[0, 16])
    ),
}
SHARDED_DAMAGE = {
    r"x-2\.safetensors is missing; .* places 1 tensors": remove("x-2.safetensors"),
    r"x-1\.safetensors is truncated: '[ab]\.weight'": truncate("x-1.safetensors", -2),
    r"index\.json is not readable JSON": write(INDEX, b"nope"),
    r"has no 'weight_map'": write(INDEX, b"{}"),
    r"x-2\.safetensors has no 'a\.weight'": point_index("x-2.safetensors"),
    r"not a file of the folder": point_index("../x-2.safetensors"),
}


@pytest.mark.parametrize(
    ("sharded", "message", "damage"),
    [
        *((False, *item) for item in SINGLE_DAMAGE.items()),
        *((True, *item) for item in SHARDED_DAMAGE.items()),
    ],
)
def test_damage_is_named_on_opening(
    tmp_path: Path, sharded: bool, message: str, damage: Callable[[Path], None]
) -> None:
    root = make(tmp_path, sharded)
    damage(root)
    with pytest.raises(CheckpointError, match=message):
        Checkpoint.open(root)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a folder"):
        Checkpoint.open(tmp_path / "nowhere")


def test_file_damaged_after_opening_is_named(folder: Path) -> None:
    checkpoint = Checkpoint.open(folder)
    file = checkpoint.tensors["a.weight"].file
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.load("a.weight")


def test_unknown_name_is_an_error(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no file of .* has 'z'"):
        Checkpoint.open(folder).load("z")


def test_bad_tokenizer_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="is not a tokenizer"):
        Checkpoint.open(folder).tokenizer()


def test_trained_model_is_a_checkpoint() -> None:
    checkpoint = Checkpoint.open(TINY)
    config = transformers.AutoConfig.from_pretrained(TINY, local_files_only=True)
    found = import_model(config, max_tokens=8, max_seqs=2, page_tokens=16, max_seq_len=64)
    tied = {a.name: a.tied for a in found.arguments}
    assert checkpoint.validate(found.weights(), tied) == []
    tokenizer = checkpoint.tokenizer()
    assert tokenizer is not None
    text = "Return a new string. \u00e9\n"
    assert tokenizer.encode(text).ids == list(text.encode())
    assert tokenizer.decode(list(text.encode())) == text
    assert sum(f.stat().st_size for f in TINY.iterdir()) < 4_000_000


def test_trained_model_continues_in_words() -> None:
    tokenizer = Checkpoint.open(TINY).tokenizer()
    assert tokenizer is not None
    load: Any = transformers.AutoModelForCausalLM.from_pretrained
    model = load(TINY, local_files_only=True).eval()
    ids = torch.tensor([tokenizer.encode("Return a new ").ids])
    out = model.generate(ids, max_new_tokens=48, do_sample=False)[0, ids.shape[1] :]
    words = tokenizer.decode(out.tolist()).split()
    common = {"the", "a", "of", "to", "is", "in", "set", "string", "number", "Return", "second"}
    assert len(words) >= 6 and len(common & set(words)) >= 3, words
