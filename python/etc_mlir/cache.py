# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled kernels on disk, by the content that they come from.

An entry is a folder named by its key, with the files of one kernel and `SHA256`, their digests. It
is written beside its place and renamed, so that readers see all of it or none. An entry that does
not agree with its digests is removed, and the kernel compiled again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

_DIGESTS = "SHA256"
_log = logging.getLogger("etc_mlir")


def key(*parts: str | bytes) -> str:
    """A digest of the parts in order; moving text from one part to the next changes it."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


class KernelCache:
    """A folder of entries. Many processes may use it at the same time."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def get(self, key: str) -> dict[str, bytes] | None:
        """The files of an entry, or None where there is none or it was damaged."""
        entry = self.directory / key
        try:
            digests = json.loads((entry / _DIGESTS).read_text(encoding="utf-8"))
            files = {name: (entry / name).read_bytes() for name in digests}
            if {n: hashlib.sha256(d).hexdigest() for n, d in files.items()} == digests:
                return files
        except FileNotFoundError:
            if not entry.is_dir():
                return None
        except (OSError, ValueError, TypeError, AttributeError):
            pass
        self.remove(key)
        return None

    def remove(self, key: str) -> None:
        """Takes out an entry that cannot be used."""
        entry = self.directory / key
        _log.warning("cache entry %s is damaged; it is removed and built again", entry)
        shutil.rmtree(entry, ignore_errors=True)

    def put(self, key: str, files: Mapping[str, bytes]) -> None:
        """Stores an entry; another process's entry of the same key stays."""
        self.directory.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=self.directory, prefix=".new-"))
        try:
            for name, data in files.items():
                (scratch / name).write_bytes(data)
            digests = {n: hashlib.sha256(d).hexdigest() for n, d in files.items()}
            (scratch / _DIGESTS).write_text(json.dumps(digests), encoding="utf-8")
            os.rename(scratch, self.directory / key)
        except OSError as error:
            # Somebody else was first, or the disk is full: the kernel works without its entry.
            _log.info("cache entry %s is not stored: %s", key, error)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
