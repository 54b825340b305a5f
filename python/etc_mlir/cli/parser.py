# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The arguments of every command, and the one place where errors become messages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import etc_mlir
from etc_mlir.errors import EtcError
from etc_mlir.options import POLICIES

USER_ERROR, INTERRUPTED = 2, 130

_TOP = """\
start here:
  etc demo                                  a small model, on the threads of this machine
  etc generate MODEL --prompt "Once upon"   any Hugging Face decoder in a folder
  etc inspect MODEL                         what the compiler made of it

MODEL is a folder with config.json and *.safetensors, or a file that `etc compile` wrote.
Environment: ETC_CACHE_DIR, ETC_CACHE=0, ETC_DUMP_DIR, ETC_TIMEOUT_S (see etc_mlir/knobs.py).
"""
_COMPILE = """\
examples:
  etc compile ./tiny-qwen3 -o tiny.etc --max-batch 4
  etc compile ./tiny-qwen3 -o tiny.etc --keep phases/    the IR after every phase, with the
                                                         etc-opt line that made it
  etc compile ./tiny-qwen3 -o tiny.etc --target h200 --dtype bfloat16      for a GPU
  etc compile graph.mlir --target h200 -o graph.etc      a task graph, as a package for a GPU
"""
_GENERATE = """\
examples:
  etc generate ./tiny-qwen3 --prompt "Return the" --max-new-tokens 40
  etc generate ./tiny-qwen3 --prompt "Return the" --prompt "def f" --max-batch 2
  etc generate ./tiny-qwen3 --prompt "Return the" --trace step.svg     every task on every worker
"""
_INSPECT = """\
examples:
  etc inspect ./tiny-qwen3 --workers 8     compiles, then shows launches, events, schedule, memory
  etc inspect tiny.etc                     what is in a compiled file
  etc inspect phases/4-schedule.mlir       what a file for etc-opt holds
"""
_BENCH = """\
examples:
  etc bench decode --workers 1,2,4 --json decode.json    tokens/s of the small model on the CPU
  etc bench hops                                         the cost of one event on a GPU
"""


def build() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="etc",
        description="Compile a Hugging Face decoder into one persistent kernel, and run it.",
        epilog=_TOP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"etc_mlir {etc_mlir.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str, epilog: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=help,
            description=f"{help[0].upper()}{help[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    compile_ = command("compile", "compile a model into a file", _COMPILE)
    compile_.add_argument(
        "model",
        metavar="MODEL",
        help="a folder in Hugging Face's layout, or a config.json; for a GPU also an .mlir file",
    )
    compile_.add_argument("-o", "--output", metavar="FILE", help="default: MODEL's name + .etc")
    compile_.add_argument(
        "--trace", action="store_true", help="a kernel that can record its tasks, up to 5 %% slower"
    )
    _add_options(compile_)

    generate = command("generate", "continue a text, greedily", _GENERATE)
    generate.add_argument("model", metavar="MODEL", help="a folder, or a file of `etc compile`")
    generate.add_argument(
        "--prompt", action="append", metavar="TEXT", help="may be given more than once"
    )
    generate.add_argument(
        "--ids",
        action="append",
        metavar="N,N,..",
        help="a prompt as token ids, for models without a tokenizer",
    )
    generate.add_argument("--max-new-tokens", type=_positive, default=64, metavar="N")
    generate.add_argument("--ignore-eos", action="store_true", help="do not end early")
    generate.add_argument(
        "--trace", metavar="FILE", help="the last step's timeline: .json (Perfetto) or .svg"
    )
    _add_options(generate)

    inspect = command("inspect", "show launches, events, schedule and memory", _INSPECT)
    inspect.add_argument("model", metavar="MODEL", help="a folder, a .etc file or an .mlir file")
    _add_options(inspect)

    bench = command("bench", "measure", _BENCH)
    bench.add_argument("what", choices=("decode", "hops"), help="decode: CPU; hops: GPU")
    bench.add_argument("--model", metavar="MODEL", help="default: the model of `etc demo`")
    bench.add_argument("--workers", default="1,2", metavar="N,N,..", help="default: %(default)s")
    bench.add_argument("--new-tokens", type=_positive, default=64, metavar="N")
    bench.add_argument("--repeat", type=_positive, default=3, metavar="N")
    bench.add_argument("--json", metavar="FILE", help="write the results there")
    packages = "hops: what benchmarks/build_packages.py wrote"
    bench.add_argument("--packages", metavar="FOLDER", help=packages)

    demo = command("demo", "compile a small model and watch it write, on CPU threads", "")
    demo.add_argument("--prompt", default=None, metavar="TEXT")
    demo.add_argument("--max-new-tokens", type=_positive, default=120, metavar="N")
    demo.add_argument("--workers", type=_positive, default=None, metavar="N")
    demo.add_argument("--trace", metavar="FILE", help="timeline: .json (Perfetto) or .svg")
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    """The options of compilation, named as in `CompileOptions`."""
    group = parser.add_argument_group("compilation")
    group.add_argument("--target", default="cpu", help="cpu, h200 or a target file (%(default)s)")
    group.add_argument("--workers", type=_positive, help="threads or SMs; default: all")
    group.add_argument(
        "--max-batch", type=_positive, default=1, metavar="N", help="sequences at a time (1)"
    )
    group.add_argument(
        "--max-seq", type=_positive, default=1024, metavar="N", help="tokens a sequence (1024)"
    )
    group.add_argument(
        "--max-tokens", type=_positive, metavar="N", help="tokens a step (16 or max-batch)"
    )
    group.add_argument("--policy", choices=POLICIES, default=POLICIES[0], help="of the schedule")
    group.add_argument(
        "--tile",
        action="append",
        default=[],
        metavar="OP:SIZE",
        help="tile of an operator, as linear:16; may be given more than once",
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PIPELINE:OPTION=VALUE",
        help="an option of a phase, as pipeline-handoffs:data=false (docs/Scheduling.md); may be "
        "given more than once",
    )
    group.add_argument("--dtype", choices=("float32", "bfloat16"), help="default: the checkpoint's")
    group.add_argument("--check", action="store_true", help="detect early reads (CPU, slow)")
    group.add_argument("--keep", metavar="DIR", help="write the IR after every phase there")


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def _runner(command: str) -> Callable[[argparse.Namespace], int]:
    import importlib

    return importlib.import_module(f"etc_mlir.cli.{command}").run


def run(argv: Sequence[str] | None = None) -> int:
    """0: done; 2: something that the message says how to put right; 130: interrupted."""
    args = build().parse_args(argv)  # exits with 2 on its own
    try:
        return _runner(args.command)(args)
    except EtcError as error:
        print(f"etc {args.command}: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`etc inspect | head`): nothing to report.
        sys.stderr.close()
        return 0
