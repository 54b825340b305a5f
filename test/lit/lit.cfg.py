"""lit configuration: every .mlir below this folder with a RUN line is a test."""

import os
import shutil
import sys

import lit.formats

config.name = "etc_mlir"
config.test_format = lit.formats.ShTest()
config.suffixes = [".mlir"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
lsp_dir = os.path.join(os.path.dirname(config.etc_tools_dir), "etc-lsp-server")
config.environment["PATH"] = os.pathsep.join(
    [
        config.etc_tools_dir,
        lsp_dir,
        config.etc_unit_dir,
        config.llvm_tools_dir,
        config.environment["PATH"],
    ]
)
config.environment["FILECHECK_OPTS"] = "-enable-var-scope --allow-unused-prefixes=false"
if shutil.which("ptxas"):
    config.available_features.add("ptxas")
root = os.path.dirname(os.path.dirname(config.test_source_root))
config.substitutions.append(("%graphs", os.path.join(root, "examples", "graphs")))
report = os.path.join(root, "utils", "ptxas_report.py")
config.substitutions.append(("%ptxas_report", f"{sys.executable} {report}"))
if shutil.which("etc-lsp-server", path=lsp_dir):
    config.available_features.add("etc-lsp-server")
if shutil.which("scheduling-test", path=config.etc_unit_dir):
    config.available_features.add("scheduling-test")
