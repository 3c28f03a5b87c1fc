"""``python -m tests.faults``: faults done to the running service, and what they cost.

python -m tests.faults list
python -m tests.faults kill --seed 1 --times 100 --database sqlite
python -m tests.faults all --seed 1

At the end, where more than one run was done, comes the table of all of them (Markdown), as in
docs/reliability.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from tests.faults.faults import ALL, TABLE
from tests.faults.house import MissingPartError
from tests.faults.judge import percentile
from tests.faults.run import Options, Report, run_fault


def line(report: Report) -> str:
    v, r = report.verdict, report.recovery_s
    parts = [
        f"{report.fault}, seed {report.seed}, {report.database}, {report.stays} stays: "
        f"{report.times} times in {report.seconds:.0f} s, with {report.versions}",
        f"readings {v.readings}, lost {v.lost}, doubled {v.doubled}, altered {v.altered}, "
        f"nobody's {v.nobodys}",
        f"alerts {v.alerts}, lost {v.alerts_lost}, twice {v.alerts_doubled}, wrong times {v.times_wrong}, "
        f"late {v.late} (at most {v.latest_s:.1f} s), cleared late {v.cleared_late}, "
        f"early {v.cleared_early}, "
        f"as one {v.merged}, with another beginning {v.otherwise}",
        f"interruptions {v.interruptions}, wrong {v.interruptions_wrong}; "
        f"untold {v.untold}, told again {v.retold}",
    ]
    if r:
        parts.append(f"ready again after {percentile(r, 50):.1f} s (median), {max(r):.1f} s at most")
    parts.append(", ".join(f"{name} {value}" for name, value in report.figures.items()))
    parts.append(f"WRONG: {report.wrong}" if report.wrong else "as promised")
    return "\n  ".join(parts)


HEAD = (
    "| command | times done | readings acknowledged | lost | alerts | lost | told twice | late "
    "| ready again, s: median / most |\n|---|---|---|---|---|---|---|---|---|"
)


def row(report: Report, options: Options) -> str:
    """One line of the table."""
    v, r = report.verdict, report.recovery_s
    command = (
        f"python -m tests.faults {report.fault} --database {report.database} --stays {report.stays} "
        f"--times {options.times} --seed {report.seed}"
    )
    forgotten = report.figures.get("lost_by_the_broker")
    lost = f"{v.lost} (the broker's)" if forgotten else v.lost
    late = f"{v.late} ({v.latest_s:.0f} s)" if v.late else 0
    ready = f"{percentile(r, 50):.1f} / {max(r):.1f}" if r else "–"
    counts = (report.times, f"{v.readings:,}", lost, f"{v.alerts:,}", v.alerts_lost, v.alerts_doubled)
    cells = (f"`{command}`", *counts, late, ready)
    return f"| {' | '.join(map(str, cells))} |"


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("fault", choices=["list", "all", *TABLE], help="which fault")
    parser.add_argument("--seed", type=int, default=1)
    own = "(default: as the fault has it)"
    parser.add_argument("--times", type=int, help=f"how often the fault is done {own}")
    parser.add_argument("--stays", type=int, help=f"beds, each with five signals a second {own}")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--report", type=Path, help="append each report to this file, a line of JSON each")
    parser.add_argument("--keep", action="store_true", help="keep the data and logs of each run")
    return parser


def main() -> int:
    given = arguments().parse_args()
    if given.fault == "list":
        for fault in ALL:
            print(f"{fault.name:<20}{fault.does}")
        return 0
    wrong, rows = 0, []
    for fault in ALL if given.fault == "all" else [TABLE[given.fault]]:
        for database in fault.databases:
            if given.database not in (database, "both"):
                continue
            stays, times = given.stays or fault.stays, given.times or fault.long
            options = Options(given.seed, database, stays, times, given.keep, _say)
            _say(f"{fault.name} on {database}: {fault.does}")
            try:
                report = run_fault(fault, options)
            except MissingPartError as missing:
                print(f"{fault.name}: left out: {missing}", flush=True)
                continue
            except AssertionError as error:
                print(f"{fault.name} seed {given.seed} {database}: FAILED: {error}", flush=True)
                wrong += 1
                continue
            print(line(report), flush=True)
            rows.append(row(report, options))
            for example in report.verdict.examples if report.wrong else []:
                print(f"    {example}")
            wrong += bool(report.wrong)
            if given.report:
                with given.report.open("a") as file:
                    file.write(json.dumps(report.as_json()) + "\n")
    if len(rows) > 1:
        print("", HEAD, *rows, sep="\n")
    return min(wrong, 1)


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
