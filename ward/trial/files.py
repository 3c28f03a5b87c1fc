"""``ward trial``: recordings through other rules, as tables, figures or a picture."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from ward.alerts.packs import Pack, load_pack, rule_to_dict
from ward.errors import InvalidError
from ward.ingest.recordings import read_all
from ward.models import find_risk
from ward.replay import as_readings, shift_of
from ward.replay_files import duration, parse_hold
from ward.scoring.readings import Readings
from ward.scoring.risk import RiskModel
from ward.trial.candidates import candidates_of, parse_grid
from ward.trial.labels import read_labels
from ward.trial.picture import picture
from ward.trial.recorded import moved, patients_of
from ward.trial.run import Json, Patient, Wanted, run
from ward.trial.suggest import MISS_COST, Load, Wish
from ward.trial.table import COLUMNS, flat, lines

ENDINGS: Final = (".json", ".csv", ".svg")
_WISH: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(alerts|interruptions)?\s*(?:/\s*day)?")


def trial_files(
    files: Sequence[Path],
    *,
    pack: str | None,
    against: str,
    grid: str | None,
    labels: str | None,
    window: str,
    after: str,
    suggest: str | None,
    holds: Sequence[str],
    format: str | None,
    risk_model: str,
    output: Sequence[Path],
    say: Callable[[str], None],
) -> list[str]:
    """The lines to print. Writes ``output``. Raises ``WardError`` for what makes no sense."""
    for path in output:
        if path.suffix not in ENDINGS:
            raise InvalidError(f"{path}: must end in {', '.join(ENDINGS)}")
        if not path.absolute().parent.is_dir():
            raise InvalidError(f"{path}: there is no folder {path.absolute().parent}")
    in_force = load_pack(against)
    wanted = _wanted(in_force, None if pack is None else load_pack(pack), grid)
    wish = None if suggest is None else parse_wish(suggest)
    known_holds = dict(parse_hold(text) for text in holds)
    spans = (duration("--window", window), duration("--after", after))
    events = None if labels is None else read_labels(labels, files)
    recordings = [r for r in read_all(files, format) if len(r)]
    if not recordings:
        raise InvalidError("no readings in " + " ".join(map(str, files)))
    if events is not None and not any(r.stay in events for r in recordings):
        say(f"ward: no event of {labels} belongs to any of these stays")
    shift = shift_of(recordings)
    place = {r.stay: r for r in recordings}
    patients = patients_of(recordings, in_force.rules, shift)
    labelled = None if events is None else moved(events, shift)

    def load(some: Sequence[Patient]) -> list[Readings]:
        return [as_readings([place[p.id]], known_holds, shift) for p in some]

    def model() -> RiskModel | None:
        return find_risk(risk_model)

    def moment(ms: int) -> Any:
        return recordings[0].origin.to_input(ms - shift)

    answer = run(patients, load, Wanted(wanted, labelled, *spans, wish), Told(say), moment, model)
    for path in output:
        _write(path, answer)
    return lines(answer)


def _wanted(in_force: Pack, pack: Pack | None, grid: str | None) -> Any:
    if pack is None and grid is None:
        raise InvalidError("nothing to try: give --pack, --grid or both")
    definitions = () if pack is None else tuple(rule_to_dict(rule) for rule in pack.rules)
    varied = None if grid is None else parse_grid(grid, (pack or in_force).rules)
    return candidates_of(definitions, varied, in_force.rules, only=pack is not None)


def parse_wish(text: str) -> Wish:
    """``3/day``, ``3 interruptions/day``. Raises InvalidError."""
    match = _WISH.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise InvalidError(f"--suggest {text!r}: must be such as 3/day or '3 interruptions/day'")
    of: Load = "interruptions" if match[2] == "interruptions" else "alerts"
    return Wish(float(match[1]), of, MISS_COST)


class Told:
    """Says each tenth of the way, once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._tenth = 0

    def __call__(self, part: float, what: str) -> None:
        tenth = int(part * 10)
        if tenth > self._tenth:
            self._tenth = tenth
            self._say(f"{what}, {tenth * 10} %")


def _write(path: Path, answer: Json) -> None:
    text = {".json": _as_json, ".csv": _as_csv, ".svg": picture}[path.suffix](answer)
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InvalidError(f"{path}: cannot be written: {error}") from None


def _as_json(answer: Json) -> str:
    return json.dumps(answer, indent=1) + "\n"


def _as_csv(answer: Json) -> str:
    """A row a setting, the first one what is in force."""
    target = io.StringIO()
    writer = csv.DictWriter(target, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat(row) for row in (answer["in_force"], *answer["settings"]))
    return target.getvalue()
