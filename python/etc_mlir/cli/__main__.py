# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import sys

from etc_mlir.cli import main

sys.exit(main())
