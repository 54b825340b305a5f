# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reference executions of the levels of the IR, in torch."""
