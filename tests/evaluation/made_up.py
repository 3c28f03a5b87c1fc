"""Collections laid out as PhysioNet's, of patients that never were."""

from __future__ import annotations

from pathlib import Path

import numpy as np

COLUMNS_2019 = "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|EtCO2|Age|Gender|Unit1|Unit2|ICULOS|SepsisLabel"


def write_2019(folder: Path, stays: int, seed: int = 1) -> Path:
    """Every third stay falls ill at some hour: heart rate, breathing and temperature rise before it."""
    place = folder / "training" / "training_setB"
    place.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for i in range(stays):
        hours = int(rng.integers(20, 40))
        onset = int(rng.integers(14, hours)) if i % 3 == 0 else 10**6
        lines = [COLUMNS_2019]
        for hour in range(1, hours + 1):
            ill = max(0.0, 1 - max(0, onset - hour) / 12) if onset < 10**6 else 0.0
            means = (
                80 + 30 * ill,
                97 - 3 * ill,
                36.8 + 1.5 * ill,
                125 - 25 * ill,
                85 - 15 * ill,
                65,
                16 + 9 * ill,
            )
            drawn = rng.normal(means, (6, 1, 0.2, 8, 6, 5, 2))
            drawn[1] = min(drawn[1], 100)
            cells = [f"{v:.1f}" if rng.random() > 0.1 else "NaN" for v in drawn]
            row = [
                *cells,
                "NaN",
                f"{40 + i % 50}",
                str(i % 2),
                "1",
                "0",
                str(hour),
                str(int(hour >= onset - 6)),
            ]
            lines.append("|".join(row))
        (place / f"p1{i:05d}.psv").write_text("\n".join(lines) + "\n")
    return folder


def write_2012(folder: Path, stays: int, seed: int = 2) -> Path:
    """Those who die have a faster heart; -1, 0 and -17.8 stand for 'not measured'."""
    (folder / "set-a").mkdir(parents=True)
    rng = np.random.default_rng(seed)
    outcomes = ["RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"]
    for i in range(stays):
        dies = i % 4 == 0
        outcomes.append(f"{200000 + i},6,1,5,-1,{int(dies)}")
        lines = ["Time,Parameter,Value", f"00:00,RecordID,{200000 + i}", "00:00,Age,60", "00:00,Gender,1"]
        lines += ["00:00,ICUType,3", "00:07,Temp,-17.8", "00:07,NIMAP,0", "00:07,GCS,15"]
        for hour in range(1, 24):
            lines.append(f"{hour:02d}:00,HR,{rng.normal(110 if dies else 80, 5):.0f}")
            lines.append(f"{hour:02d}:00,NISysABP,{rng.normal(115, 8):.0f}")
            lines.append(f"{hour:02d}:00,SysABP,{rng.normal(120, 8):.0f}")
            lines.append(f"{hour:02d}:00,Temp,{rng.normal(37, 0.3):.1f}")
            lines.append(f"{hour:02d}:00,RespRate,{rng.normal(18, 2):.0f}")
        (folder / "set-a" / f"{200000 + i}.txt").write_text("\n".join(lines) + "\n")
    (folder / "Outcomes-a.txt").write_text("\n".join(outcomes) + "\n")
    return folder


def write_mimic3(folder: Path) -> Path:
    """As PhysioNet distributes the demonstration."""
    items = (
        '1,211,"Heart Rate"',
        '2,678,"Temperature F"',
        '3,455,"NBP [Systolic]"',
        '4,618,"Respiratory Rate"',
    )
    (folder / "D_ITEMS.csv").write_text("\n".join(["row_id,itemid,label", *items]) + "\n")
    rows = ["row_id,icustay_id,itemid,charttime,valuenum"]
    for hour in range(30):
        at = f"2107-03-{24 + hour // 24} {hour % 24:02d}:00:00"
        for item, value in ((211, 84), (678, 98.6), (455, 118), (618, 17)):
            rows.append(f"{len(rows)},201006,{item},{at},{value}")
    rows.append(f"{len(rows)},201006,211,2107-03-26 00:00:00,0")
    (folder / "CHARTEVENTS.csv").write_text("\n".join(rows) + "\n")
    return folder
