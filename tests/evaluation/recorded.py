"""Small recordings in PhysioNet's forms, made up: with known events, of known load."""

from __future__ import annotations

from pathlib import Path


def bidmc(folder: Path, name: str, spo2_from: int | None = None, seconds: int = 480) -> None:
    """Eight minutes, a row a second; SpO2 near 82 from ``spo2_from`` seconds on."""
    rows = ["Time [s], HR, PULSE, RESP, SpO2"]
    for t in range(seconds):
        low = spo2_from is not None and t >= spo2_from
        wave = t // 3 % 3
        rows.append(f"{t},{80 + wave},{80 + wave},{15 + wave},{(81 if low else 96) + wave}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"bidmc_{name}_Numerics.csv").write_text("\n".join(rows) + "\n")


HEADER = "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|Age|Gender|Unit1|Unit2|HospAdmTime|ICULOS|SepsisLabel"


def cinc2019(folder: Path, stays: int, hours: int = 30) -> None:
    """Every second stay breathes ever faster from hour 10 on and is septic from hour 20 (label from 14)."""
    folder.mkdir(parents=True, exist_ok=True)
    for stay in range(stays):
        rows = [HEADER]
        for hour in range(1, hours + 1):
            sick = stay % 2 and hour >= 10
            wave = (hour * 7 + stay) % 3
            resp = 24 + (hour - 10) + wave if sick else 14 + wave
            row = (80 + wave, 97, 36.8, 120 + wave, 85, 70, resp, 60, stay % 2, "NaN", "NaN", -1, hour)
            rows.append("|".join(map(str, row)) + f"|{int(bool(stay % 2) and hour >= 14)}")
        (folder / f"p1{stay:05d}.psv").write_text("\n".join(rows) + "\n")
