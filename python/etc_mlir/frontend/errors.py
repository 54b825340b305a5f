# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the import raises."""

from __future__ import annotations

from etc_mlir.errors import EtcError


class ImportModelError(EtcError, ValueError):
    """Base of the errors of `etc_mlir.frontend`."""


class UnsupportedModelError(ImportModelError):
    """The model uses a feature that the step has no operation for.

    `feature` is what was found; the message also says what is supported and what to do.
    """

    def __init__(self, feature: str, *, supported: str, action: str) -> None:
        self.feature = feature
        super().__init__(f"{feature} is not supported; supported: {supported}. {action}")


class UnsupportedOpError(ImportModelError):
    """The exported graph holds an operator that `convert-torch-to-task` does not know."""

    def __init__(self, op: str, source: str, scope: str) -> None:
        self.op, self.source, self.scope = op, source, scope
        super().__init__(
            f"operator '{op}' is not supported: called at {source}"
            + (f" in module '{scope}'" if scope else "")
            + "; the operators that are supported are listed in docs/import.md. "
            "Rewrite that line with them, or teach convert-torch-to-task the operator and add it "
            "to etc_mlir/frontend/supported.py"
        )
