"""What the report says of the score, from its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from ward.evaluation.section import Json

TARGETS: Final[dict[str, tuple[str, float, bool]]] = {
    "auroc": ("AUROC", 0.775, True),
    "auroc_t": ("AUROC within the hour of stay", 0.74, True),
    "auprc": ("AUPRC", 0.056, True),
    "recall@0.25": ("events caught at 0.25 alerts a patient-day", 0.45, True),
    "recall@0.5": ("events caught at 0.5 alerts a patient-day", 0.61, True),
    "burden@80": ("alerts a patient-day at 80 % of events caught", 0.98, False),
    "precision@0.25": ("share of alerts in the 12 h before an event, at 0.25 a day", 0.08, True),
}
"""Measure to its words, the target, and whether more is better."""
SHARED: Final = "by the clock of a machine that others use too; `python -m benchmarks.risk` measures it alone"


def text(figures: Json, said: Sequence[str]) -> str:
    data, home = figures["data"], figures["risk"]
    parts = [
        f"`risk` is learned from the vital signs of {data['stays']:,} stays of intensive care "
        f"({data['events']:,} with sepsis; PhysioNet/CinC Challenge 2019). Everything below is out of fold: "
        f"each stay is scored by a model that has not seen it. {data['scored']:.1%} of the hours have a "
        "score; the others count as lowest. NEWS2 is partial here: neither consciousness nor oxygen is "
        "in the records.",
        "### Against NEWS2, and the targets",
        targets_table(figures),
        truth(home),
        "![Events caught against alerts a patient-day, risk and NEWS2](images/alert-quality/score-load.svg)",
        "### Calibration",
        f"Slope {figures['calibration']['slope']:.2f} (by fold "
        + ", ".join(f"{s:.2f}" for s in figures["calibration"]["slope_by_fold"])
        + f"), intercept {figures['calibration']['intercept']:.2f}.",
        "![Share of positive hours against the risk](images/alert-quality/score-reliability.svg)",
        "### For whom",
        "One cut-off for all, the one that gives 0.5 alerts a patient-day over all stays.",
        groups_table(figures),
        "### What is missed",
        onset_table(figures),
        "An onset in the first hours leaves no history to learn from, and often no hour before it at all.",
        "### Other hospitals",
        others(figures["elsewhere"]),
        "### With signals missing, charted otherwise",
        robustness_table(figures),
        "### Leaks, direction, speed",
        _leaks(figures),
    ]
    return "\n\n".join([*parts, "### Data check", "```\n" + "\n".join(said) + "\n```"])


def _met(home: Json, name: str) -> bool:
    _, target, more = TARGETS[name]
    found = home[name]
    return found is not None and bool(found >= target if more else found <= target)


def _wanted(name: str) -> str:
    _, target, more = TARGETS[name]
    return f"{'≥' if more else '≤'} {target:g}"


def _found(home: Json, name: str) -> str:
    """The figure with its interval."""
    if home[name] is None:
        return "not reached"
    ends = home["intervals"].get(name)
    return f"{home[name]:.3f}" + (f" ({ends[0]:.3f} to {ends[1]:.3f})" if ends else "")


def targets_table(figures: Json) -> str:
    home, news2 = figures["risk"], figures["news2"]
    rows = [
        (words, news2[name], _found(home, name), _wanted(name), "met" if _met(home, name) else "**missed**")
        for name, (words, _, _) in TARGETS.items()
    ]
    return _table(("", "NEWS2, partial", "risk (95 %)", "target", ""), rows)


def truth(home: Json) -> str:
    missed = [name for name in TARGETS if not _met(home, name)]
    if not missed:
        return "All targets are met."
    return (
        f"{len(missed)} of {len(TARGETS)} targets are missed. The collection has a few hundred events, seen "
        "through seven vital signs; hour of stay, which by itself tells much here, is "
        "withheld from the model on purpose, and so are counts and ages of measurements. It is there "
        "beside the rules and NEWS2, and replaces neither them nor a look at the patient."
    )


def groups_table(figures: Json) -> str:
    keys = ("stays", "events", "auroc", "auroc_t", "auroc_news2", "burden", "recall")
    head = ("group", "stays", "events", "AUROC", "AUROC_t", "NEWS2's AUROC", "alerts a day", "events caught")
    return _table(head, [(name, *(group[key] for key in keys)) for name, group in figures["groups"].items()])


def onset_table(figures: Json) -> str:
    return "Events caught at 0.5 alerts a patient-day, by the hour of stay of the onset:\n\n" + _table(
        ("onset", "events", "risk", "NEWS2"),
        [(word, o["events"], o["risk"], o["news2"]) for word, o in figures["onset"].items()],
    )


def robustness_table(figures: Json) -> str:
    head = ("stays", "scored", "AUROC", "NEWS2's", "AUROC_t", "NEWS2's", "caught at 0.5 a day", "NEWS2's")
    keys = ("auroc", "auroc_t", "recall@0.5")
    rows = [
        (name, f"{found['scored']:.1%}", *(found[who][key] for key in keys for who in ("risk", "news2")))
        for name, found in figures["robustness"].items()
    ]
    return _table(head, rows)


def targets(figures: Json) -> list[Json]:
    """For the report's first table."""
    home = figures["risk"]
    why = "a few hundred events, vital signs alone, and no time of stay to lean on"
    found = [
        _target(f"risk: {words}", _wanted(name), _found(home, name), _met(home, name), why)
        for name, (words, _, _) in TARGETS.items()
    ]
    slope, seconds = figures["calibration"]["slope"], figures["speed"]["seconds_for_10000"]
    falls = figures["direction"]["falls"]
    found += [
        _target(
            "risk: calibration slope, cross-validated", "0.85 to 1.15", f"{slope:.2f}", 0.85 <= slope <= 1.15
        ),
        _target("risk: 10,000 stays scored", "< 0.2 s", f"{seconds:.3f} s", seconds < 0.2, SHARED),
        _target("risk: falls with a lower newest SpO2", "never", f"{falls} times", falls == 0),
    ]
    return found


def _target(what: str, target: str, said: str, met: bool, why: str = "") -> Json:
    return {"what": what, "target": target, "found": said, "met": met, "why": "" if met else why}


def others(found: Json) -> str:
    parts = []
    if (death := found.get("cinc2012")) is not None:
        parts.append(
            f"Challenge 2012 (another hospital, another time, no SpO2, RR in a quarter; "
            f"{death['stays']:,} stays, {death['died']:,} died in hospital; nothing of it was learned from). "
            "AUROC of in-hospital death from the hourly scores of a stay:\n\n"
            + _table(
                ("of the stay", "NEWS2", "risk", "difference (95 %)"),
                [
                    (
                        how,
                        death[how]["news2"],
                        death[how]["risk"],
                        "{:+.3f} to {:+.3f}".format(*death[how]["difference"]),
                    )
                    for how in ("mean", "highest", "last")
                ],
            )
            + f"\n\nCalibration slope of the mean log-odds against death: {_number(death['slope'])}: the "
            "risk is one of sepsis within hours, not of death, and must not be read as such."
        )
    if (demo := found.get("mimic3_demo")) is not None:
        load_ = ", ".join(f"{v:.2f} where it gave {b} at home" for b, v in demo["alerts"].items())
        parts.append(
            f"MIMIC-III demo ({demo['stays']} stays, all of patients who died sooner or later: no "
            f"specificity from this): {demo['scored']:.1%} of the hours scored; alerts a patient-day "
            f"{load_}; rank correlation with NEWS2 {_number(demo['spearman_with_news2'])}."
        )
    return "\n\n".join(parts) or "The folder holds no other collection."


def _leaks(figures: Json) -> str:
    leak, direction = figures["leaks"], figures["direction"]
    lines = [
        f"- Values taken away, what is missing left as it is: AUROC {leak['typical values']['auroc']:.3f} "
        f"(within the hour {leak['typical values']['auroc_t']:.3f}) with typical values everywhere, "
        f"{leak['values of others']['auroc']:.3f} ({leak['values of others']['auroc_t']:.3f}) with other "
        "patients' values. 0.5 means that nothing is learned from what is missing.",
        f"- Rank correlation with the hour of stay, without an onset ahead: {leak['hour']:+.2f}.",
        f"- Newest SpO2 lowered from 100 to 50, history fixed, in {direction['rows']} stays' hours: "
        f"the risk fell {direction['falls']} times.",
        f"- 10,000 stays, features included: {figures['speed']['seconds_for_10000']:.3f} s.",
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    """–: too little to say."""
    return "–" if value is None else f"{value:.2f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    def cell(value: object) -> str:
        if value is None:
            return "–"
        return (
            f"{value:.3f}"
            if isinstance(value, float)
            else f"{value:,}"
            if isinstance(value, int)
            else str(value)
        )

    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(cell, row)) + " |" for row in rows)])
