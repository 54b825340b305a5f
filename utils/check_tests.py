#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reject tests that cannot fail, and diagnostics that no test provokes.

For each test in test/lit: it has a RUN line that judges what it runs; FileCheck has directives and
every directive has a FileCheck that reads it; `expected-error` and its kin come with
-verify-diagnostics. For each message that C++ emits: some test shows its text. The match is by the
longest literal of the message, so it may err towards "covered"; a message that no input can provoke
is marked `// NOTEST: why` on the line above it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIT = ROOT / "test" / "lit"
# Words before a colon that are lit's or a person's, not FileCheck's.
NOT_FILECHECK = {"RUN", "REQUIRES", "UNSUPPORTED", "XFAIL", "DEFINE", "REDEFINE", "END"}
SUFFIX = r"-(?:NEXT|SAME|NOT|DAG|LABEL|EMPTY|COUNT-\d+)"
JUDGES = ("FileCheck", "verify-diagnostics", "diff ", "cmp ", "count ", "not ", "ptxas")
EMITTERS = r"\b(?:emitOpError|emitError|emitRemark|emitWarning|holds)\s*\("
WINDOW = 20  # as many characters in common are no accident


def lit_tests() -> Iterator[Path]:
    for path in sorted(LIT.rglob("*.mlir")):
        if "Inputs" not in path.parts:
            yield path


def run_lines(text: str) -> str:
    """The RUN lines of a test, with continuation lines joined."""
    lines = re.findall(r"RUN:(.*)", text)
    return "\n".join(lines).replace("\\\n", " ")


def check_test(text: str) -> Iterator[str]:
    """What is wrong with the text of a test."""
    runs = run_lines(text)
    if not runs:
        yield "no RUN line"
        return
    if not any(judge in runs for judge in JUDGES):
        yield "no RUN line judges the output (FileCheck, -verify-diagnostics, diff, not, ...)"
    declared: set[str] = set()
    for command in re.findall(r"FileCheck\b([^|\n]*)", runs):
        names = re.findall(r"--?check-prefix(?:es)?[= ](\S+)", command)
        declared.update(prefix for name in names for prefix in name.split(","))
        if not names:
            declared.add("CHECK")
    used: set[str] = set()
    directive = rf"^\s*(?://|#)\s*([A-Z][A-Z0-9_]*(?:-[A-Z0-9_]+)*?)({SUFFIX})?:"
    for prefix, suffix in re.findall(directive, text, re.M):
        if prefix in declared:
            used.add(prefix)
        elif prefix not in NOT_FILECHECK and (suffix or prefix.startswith("CHECK")):
            yield f"no FileCheck reads {prefix}{suffix}:"
    for prefix in sorted(declared - used):
        yield f"FileCheck reads {prefix}, which has no directive"
    if (
        re.search(r"expected-(error|warning|remark|note)", text)
        and "verify-diagnostics" not in runs
    ):
        yield "expected-... without -verify-diagnostics"


def statement_at(text: str, start: int) -> str:
    """The C++ from `start` to the semicolon that ends the statement, strings respected."""
    position, depth = start, 0
    while position < len(text):
        char = text[position]
        if char == '"':
            position = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, position).end()  # type: ignore[union-attr]
            continue
        depth += (char in "([{") - (char in ")]}")
        if char == ";" or depth < 0:
            break
        position += 1
    return text[start:position]


def messages(text: str) -> Iterator[tuple[int, str]]:
    """Line and longest literal of each message that C++ source emits."""
    for emitter in re.finditer(EMITTERS, text):
        line = text.count("\n", 0, emitter.start()) + 1
        above = text.splitlines()[max(0, line - 3) : line]
        if any("NOTEST:" in row for row in above):
            continue
        statement = statement_at(text, emitter.end() - 1)
        joined = re.sub(r'"\s*\n\s*"', "", statement)
        literals = [s.replace("\\", "") for s in re.findall(r'"((?:[^"\\]|\\.)*)"', joined)]
        longest = max(literals, key=len, default="").strip()
        if len(longest) >= 4:
            yield line, longest


def provoked_texts() -> list[str]:
    """What the tests expect to read: of lit the annotations and directives, of pytest all."""
    texts: list[str] = []
    for path in LIT.rglob("*.mlir"):
        text = path.read_text()
        texts += re.findall(r"expected-(?:error|warning|remark|note)[^{\n]*\{\{(.*)\}\}", text)
        texts += re.findall(r"^\s*(?://|#)\s*[A-Z][A-Z0-9_-]*:\s*(.*)", text, re.M)
    for folder in ("python", "unit"):
        for path in (ROOT / "test" / folder).rglob("*"):
            if path.suffix in (".py", ".cpp"):
                texts.append(re.sub(r'"\s*\n\s*f?r?"', "", path.read_text()))
    return [text.replace("\\", "") for text in texts]


def is_provoked(message: str, texts: list[str], corpus: str) -> bool:
    """Whether a test shows the message: whole, a part of it, or from a part of it to its end."""
    if message in corpus or any(len(text) >= 8 and text in message for text in texts):
        return True
    if any("\n" + message[i:] in corpus for i in range(max(1, len(message) - 8))):
        return True
    windows = range(len(message) - WINDOW + 1)
    return any(message[i : i + WINDOW] in corpus for i in windows)


def main() -> int:
    problems: list[str] = []
    tests = list(lit_tests())
    for path in tests:
        for problem in check_test(path.read_text()):
            problems.append(f"{path.relative_to(ROOT)}: {problem}")
    texts = provoked_texts()
    corpus = "\n" + "\n".join(texts)
    count = 0
    for folder in ("dialects", "lib", "tools"):
        for path in sorted((ROOT / folder).rglob("*.cpp")):
            for line, message in messages(path.read_text()):
                count += 1
                if not is_provoked(message, texts, corpus):
                    where = f"{path.relative_to(ROOT)}:{line}"
                    problems.append(f"{where}: no test provokes {message!r}")
    for problem in problems:
        print(problem)
    print(f"check_tests: {len(tests)} tests, {count} messages, {len(problems)} problems")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
