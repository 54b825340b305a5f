# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Batching, paging and text, on the imported step executed in torch: no compiler is needed."""

from __future__ import annotations

import numpy as np
import pytest
from torch_engine import reference, torch_model

from etc_mlir.errors import CacheFullError, OptionError
from etc_mlir.kv_cache import PagedCache

SMALL = {"max_batch": 3, "max_seq": 80, "max_tokens": 12, "page_tokens": 8}
TEXTS = (
    "Return the",
    "def f(x):\n    Return a new dictionary that",
    "a",
    "Raises ValueError if",
)


def tokens(text: str) -> list[int]:
    tokenizer = torch_model(**SMALL).tokenizer
    assert tokenizer is not None
    return tokenizer.encode(text).ids


def test_ragged_batch_equals_transformers():
    # Four prompts on three rows: one waits; the long one is read in chunks.
    prompts = [tokens(text) for text in TEXTS]
    found = torch_model(**SMALL).generate(prompts, 20, eos=())
    assert found == [reference(tuple(p), 20) for p in prompts]


def test_every_page_returns_to_the_cache():
    model = torch_model(**SMALL)
    before = model.cache.free_pages
    stream = model.generate("Return", 20, stream=True)
    next(iter(stream))
    assert model.cache.free_pages < before
    stream.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert (model.cache.free_pages, model.cache.free_sequences) == (before, 3)


def test_text_streams_as_it_is_generated():
    model = torch_model(**SMALL)
    whole = model.generate("Return the", 24, eos=())
    pieces = list(model.generate("Return the", 24, stream=True, eos=()))
    assert len(pieces) == 24
    assert "".join(p.text for p in pieces) == whole
    assert (model.last.new_tokens, model.last.prompt_tokens) == (
        24,
        len(tokens("Return the")),
    )


def test_eos_ends_a_sequence_and_is_part_of_it():
    model = torch_model(**SMALL)
    free = model.generate(tokens("Return the"), 24, eos=())
    end = free[5]
    assert model.generate(tokens("Return the"), 24, eos=end) == free[: free.index(end) + 1]


def test_few_pages_make_prompts_wait_instead_of_fail():
    # Six pages of 8 tokens: one sequence of 14 + 20 - 1 tokens needs five.
    model = torch_model(**{**SMALL, "num_pages": 6})
    prompts = [tokens("Return the new"), tokens("Raises an error")]
    found = model.generate(prompts, 20, eos=())
    assert found == [reference(tuple(p), 20) for p in prompts]


def test_a_sequence_that_can_never_fit_is_refused():
    model = torch_model(**{**SMALL, "num_pages": 6})
    with pytest.raises(CacheFullError, match="need 8 pages of 8 tokens; 6 of 6 are free"):
        model.generate(tokens("Return the new"), 50)


@pytest.mark.parametrize(
    ("prompt", "count", "message"),
    [
        ([], 4, "the prompt is empty"),
        ([5, 272], 4, r"holds token 272, outside 0 \.\. 271"),
        ([[1, 2], []], 4, "prompt 1 is empty"),
        ([1, 2, 3], 0, "max_new_tokens must be at least 1"),
        ([1, 2, 3], 79, "compiled for max_seq 80"),
    ],
)
def test_prompts_that_cannot_be_used(prompt, count, message):
    with pytest.raises(OptionError, match=message):
        torch_model(**SMALL).generate(prompt, count)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"ids": [999]}, "ids holds values"),
        ({"seq": [3]}, "seq holds values"),
        ({"pos": [80]}, "pos holds values"),
        ({"rows": [1]}, "rows holds values"),
        ({"pos": [0, 1]}, "pos has shape"),
        ({"ids": [], "seq": [], "pos": []}, "tokens in a step|rows holds"),
        ({"rows": [0, 0, 0, 0]}, "a step gives 1 to 3"),
    ],
)
def test_step_refuses_what_the_kernel_would_trust(changed, message):
    given = {"ids": [1], "seq": [0], "pos": [0], "rows": [0], **changed}
    with pytest.raises(OptionError, match=message):
        torch_model(**SMALL).step(**given)


def test_cache_gives_back_what_it_lent():
    cache = PagedCache(pages=4, page_tokens=8, max_seqs=2, max_seq=24)
    first = cache.admit(17)
    assert cache.free_pages == 1
    with pytest.raises(CacheFullError, match="need 2 pages"):
        cache.admit(9)
    second = cache.admit(8)
    assert len(np.unique([*cache.table[first], cache.table[second, 0]])) == 4
    with pytest.raises(CacheFullError, match="all 2 sequences are in use"):
        cache.admit(1)
    cache.release(first)
    with pytest.raises(CacheFullError, match="compiled for max_seq 24"):
        cache.admit(25)
    assert cache.fits(24)
    with pytest.raises(KeyError):
        cache.release(first)
