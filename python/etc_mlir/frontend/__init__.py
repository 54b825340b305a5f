# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a Hugging Face decoder to the torch-level text that `etc-opt` reads."""
