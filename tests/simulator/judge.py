"""Ward's own filter and rules over a simulated ward, offline: what would have been raised?"""

from collections import defaultdict

import numpy as np

from simulator import messages
from tests.simulator.reading import START
from ward.alerts.packs import load_pack
from ward.ingest.payload import decode_status, decode_vitals
from ward.scoring.engine import Engine
from ward.scoring.readings import Readings
from ward.scoring.sustain import RAISED
from ward.signals import N_OBSERVED, STATUS_INDEX, hold_of


def readings_of(plan, duration_ms):
    """All readings of a plan in the end (backlogs have arrived), and what each slot's devices declare."""
    slot_of = {(bed.ward, name): slot for slot, bed in enumerate(plan.beds) for name in bed.device_names}
    number = {key: i for i, key in enumerate(slot_of)}
    intervals, columns, seen = {}, defaultdict(list), set()
    for message in messages(plan, START, duration_ms, 30_000):
        if message.what != "vitals":
            told, _ = decode_status(message.topic, message.payload, message.at, False)
            intervals[told.ward, told.device] = told.intervals or intervals[told.ward, told.device]
            continue
        for sample in decode_vitals(message.topic, message.payload, message.at)[0]:
            key = (sample.ward, sample.device)
            if (key, message.session, sample.seq) in seen:
                continue
            seen.add((key, message.session, sample.seq))
            for value in sample.values:
                if value.value is not None:
                    row = {
                        "slot": slot_of[key],
                        "signal": value.signal,
                        "time": sample.time,
                        "value": value.value,
                        "seq": sample.seq,
                        "device": number[key],
                        "hold": hold_of(value.signal, intervals[key].get(value.signal)),
                        "status": STATUS_INDEX[value.status or "ok"],
                        "quality": np.nan if value.quality is None else value.quality,
                    }
                    for name, cell in row.items():
                        columns[name].append(cell)
    declared = defaultdict(set)
    for key, own in intervals.items():
        declared[slot_of[key]] |= set(own)
    return Readings.of(**{name: np.array(cells) for name, cells in columns.items()}), declared


def raised(plan, duration_ms, pack="ward-rct-2025", filtered=True):
    """{bed: {rule: first raised, ms since START}} of the physiological rules."""
    rules = load_pack(pack).rules
    readings, declared = readings_of(plan, duration_ms)
    engine = Engine(rules, len(plan.beds), lateness=0, filtered=filtered)
    for slot, bed in enumerate(plan.beds):
        signals = [s for s in declared[slot] if s < N_OBSERVED]
        applies = [not set(rule.unless) & set(bed.flags) for rule in rules]
        engine.configure(slot, declared=signals, applies=applies)
    engine.add(readings)
    found = engine.step(START + duration_ms).transitions
    result = {bed.bed: {} for bed in plan.beds}
    for slot, rule, kind, at in zip(found.slot, found.rule, found.kind, found.at, strict=True):
        if kind == RAISED and rules[rule].kind == "physiological":
            result[plan.beds[slot].bed].setdefault(rules[rule].id, int(at) - START)
    return result
