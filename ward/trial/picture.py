"""Load against recall as a small SVG: a dot a setting, what no other beats joined, what is in force marked.

Drawn by hand, for a picture of dots needs no library of its own (matplotlib is one of development only).
"""

from __future__ import annotations

from html import escape
from typing import Final

from ward.trial.run import Json

_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 40, 56
_TICKS: Final = 5
_STYLE: Final = (
    "text{font:13px sans-serif;fill:#222}.axis{stroke:#555}.grid{stroke:#ddd}.dot{fill:#7a9cc6;opacity:.7}"
    ".front{fill:none;stroke:#1b4f91;stroke-width:1.5}.now{fill:#c0392b}.chosen{fill:none;stroke:#111;"
    "stroke-width:2}"
)


def picture(answer: Json) -> str:
    """SVG text. The load is what the suggestion counts, else alerts of the rules tried."""
    suggestion = answer["suggestion"]
    of = suggestion["of"] if suggestion else "alerts"
    name = f"{of}_per_day"
    rows = [row for row in answer["settings"] if row[name] is not None and row["recall"] is not None]
    now = answer["in_force"]
    drawn = [*rows, now] if now[name] is not None and now["recall"] is not None else rows
    most = max((row[name] for row in drawn), default=0.0) * 1.05 or 1.0

    def at(row: Json) -> tuple[float, float]:
        x = _LEFT + row[name] / most * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - row["recall"] * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    parts = [*_axes(most, f"{of} per patient-day", f"recall of {answer['events']['kind']} events")]
    front = sorted((at(row) for row in rows if row["on_front"]), key=lambda p: p[0])
    if front:
        points = " ".join(f"{x},{y}" for x, y in front)
        parts.append(f'<polyline class="front" points="{points}"/>')
    parts += [_dot("dot", at(row), 4, row) for row in rows]
    if len(drawn) > len(rows):
        x, y = at(now)
        parts.append(_dot("now", (x, y), 5, now))
        parts.append(f'<text x="{x + 8}" y="{y + 4}">in force</text>')
    chosen = suggestion["chosen"] if suggestion else None
    if chosen and chosen[name] is not None and chosen["recall"] is not None:
        x, y = at(chosen)
        parts.append(f'<circle class="chosen" cx="{x}" cy="{y}" r="8"/>')
        parts.append(f'<text x="{x + 12}" y="{y - 10}">{escape(chosen["label"])}</text>')
    days = f"{answer['patient_days']:.1f} patient-days"
    title = f"{answer['stays']} stays, {days}, {answer['events']['count']} events"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
            f'<text x="{_LEFT}" y="24">{escape(title)}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def _dot(name: str, at: tuple[float, float], radius: int, row: Json) -> str:
    said = f"{row['label']}: {row['alerts_per_day']:.2f} alerts a day, recall {row['recall']:.2f}"
    x, y = at
    return f'<circle class="{name}" cx="{x}" cy="{y}" r="{radius}"><title>{escape(said)}</title></circle>'


def _axes(most: float, across: str, up: str) -> list[str]:
    base, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = []
    for n in range(_TICKS + 1):
        x = _LEFT + n / _TICKS * (right - _LEFT)
        y = base - n / _TICKS * (base - _TOP)
        parts += [
            f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>',
            f'<text x="{x:.1f}" y="{base + 20}" text-anchor="middle">{n / _TICKS * most:.2g}</text>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{n / _TICKS:.1f}</text>',
        ]
    return [
        *parts,
        f'<path class="axis" fill="none" d="M{_LEFT} {_TOP}V{base}H{right}"/>',
        f'<text x="{(_LEFT + right) // 2}" y="{_HEIGHT - 12}" text-anchor="middle">{escape(across)}</text>',
        f'<text transform="translate(18 {(base + _TOP) / 2:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(up)}</text>",
    ]
