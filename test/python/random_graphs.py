"""Random task graphs as text, with what they must compute.

A program is a list of launches over a few one-dimensional float32 buffers. Buffers are written
again and again, so that read-after-write, write-after-read and write-after-write orders all matter;
tiles of several sizes meet, so that events of several granularities do. The reference executes the
launches in program order, task by task, in numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

WHOLE = 0  # a tile size: all of the buffer


@dataclass(frozen=True)
class Launch:
    """`tasks` tasks; task i averages its tile of `source` into its tile of `target`.

    Tile sizes are in elements. A source tile of WHOLE is the whole buffer.
    """

    source: int
    source_tile: int
    target: int
    target_tile: int
    tasks: int
    bias: float


@dataclass(frozen=True)
class Program:
    """`launches` over `buffers` buffers of `extent` elements; the last buffer is the output."""

    extent: int
    buffers: int
    launches: tuple[Launch, ...]

    def text(self) -> str:
        """The program at the level of the task graph, without events."""
        bodies: dict[tuple[int, int, float], str] = {}
        lines = []
        for launch in self.launches:
            key = (launch.source_tile, launch.target_tile, launch.bias)
            name = bodies.setdefault(key, f"body{len(bodies)}")
            lines.append(self._launch_text(launch, name))
        funcs = "".join(self._body_text(key, name) for key, name in bodies.items())
        shape, kind = f"affine_map<() -> ({self.extent})>", f"memref<{self.extent}xf32>"
        declared = "".join(
            f'  %b{i} = task.argument "b{i}" {"state" if i else "input"} shape {shape} : {kind}\n'
            for i in range(self.buffers)
        )
        return f"{funcs}task.graph @program symbols [] {{\n{declared}{''.join(lines)}}}\n"

    def _view(self, tile: int) -> str:
        if tile == WHOLE:
            return f"memref<{self.extent}xf32>"
        return f"memref<{tile}xf32, strided<[1], offset: ?>>"

    def _body_text(self, key: tuple[int, int, float], name: str) -> str:
        source_tile, target_tile, bias = key
        source, target = self._view(source_tile), self._view(target_tile)
        scale = 0.9 / (source_tile or self.extent)
        return f"""task.func @{name}(%i: index, %x: {source}, %y: {target}) {{
  %bias = arith.constant {bias:e} : f32
  %scale = arith.constant {scale:e} : f32
  linalg.fill ins(%bias : f32) outs(%y : {target})
  linalg.generic {{indexing_maps = [affine_map<(j, k) -> (k)>, affine_map<(j, k) -> (j)>],
                  iterator_types = ["parallel", "reduction"]}}
    ins(%x : {source}) outs(%y : {target}) {{
  ^bb0(%a: f32, %acc: f32):
    %p = arith.mulf %a, %scale : f32
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  }}
  task.return
}}
"""

    def _launch_text(self, launch: Launch, name: str) -> str:
        def region(tile: int) -> str:
            return (
                "<(i) -> (0) sizes [*]>"
                if tile == WHOLE
                else f"<(i) -> (i * {tile}) sizes [{tile}]>"
            )

        kind = f"memref<{self.extent}xf32>"
        return (
            f"  task.launch @{name} grid(() -> ({launch.tasks}))\n"
            f"    reads(%b{launch.source} at {region(launch.source_tile)} : {kind})\n"
            f"    writes(%b{launch.target} at {region(launch.target_tile)} : {kind})\n"
            f"    waits() notifies()\n"
        )

    def reference(self, buffers: list[np.ndarray]) -> list[np.ndarray]:
        """The buffers ([extent] float32 each) after one step."""
        result = [b.astype(np.float64) for b in buffers]
        for launch in self.launches:
            for i in range(launch.tasks):
                source = result[launch.source]
                if launch.source_tile != WHOLE:
                    source = source[i * launch.source_tile :][: launch.source_tile]
                value = np.float32(launch.bias) + 0.9 * source.mean()
                result[launch.target][i * launch.target_tile :][: launch.target_tile] = value
        return [b.astype(np.float32) for b in result]


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Up to ten launches over two to four buffers of 48 elements."""
    extent, buffers = 48, draw(st.integers(2, 4))
    launches = []
    for _ in range(draw(st.integers(2, 10))):
        source = draw(st.integers(0, buffers - 1))
        target = draw(st.sampled_from([b for b in range(1, buffers) if b != source] or [1]))
        if source == target:
            source = 0
        target_tile = draw(st.sampled_from([4, 6, 8, 12, 16, 24, 48]))
        tasks = extent // target_tile
        source_tile = draw(st.sampled_from([WHOLE, target_tile, extent // tasks // 2 or 1]))
        bias = draw(st.sampled_from([-1.5, -0.25, 0.5, 1.0, 2.0]))
        launches.append(Launch(source, source_tile, target, target_tile, tasks, bias))
    return Program(extent, buffers, tuple(launches))
