# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compiled programs on a GPU: pure Python over PyTorch and cuda-bindings.

Never imports the compiler's native module, so that a package runs where only the driver is.
"""
