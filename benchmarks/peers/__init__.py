"""What one would use instead of ward, each configured as its own documentation would have it.

``in_duckdb`` and ``in_polars``: a pack's rules over rows at hand (``benchmarks.replay``). The rest, from
messages: ``python -m benchmarks.peers`` runs ward, Prometheus, Node-RED and plain Python on the same ones
(``run``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.figures import Part


def part(quick: bool = False) -> Part:
    from benchmarks.peers.run import part as measured  # whoever wants DuckDB only needs no broker

    return measured(quick)
