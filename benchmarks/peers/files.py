"""The pack ``ward-rct-2025`` in which a minute is a second, for what runs on the clock; the peers' own files.

``python -m benchmarks.peers.files`` writes the files beside this one anew: ``ward/pack.toml``,
``prometheus/rules.yml`` and ``node-red/flows.json``. They are what is run, and there to be read.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ward.alerts.packs import load_pack
from ward.scoring.rules import Rule
from ward.signals import SECOND

HERE: Final = Path(__file__).parent
LEAST: Final = 2 * SECOND
"""A rule of 1 min lasts two samples, not one."""
BROKER_PORT: Final = 1883
"""Of the files; whoever runs them puts another in its place."""


def rules() -> tuple[Rule, ...]:
    return tuple(
        replace(rule, for_ms=short, within_ms=short, gap_ms=short, clear_for_ms=LEAST)
        for rule in load_pack("ward-rct-2025").rules
        for short in [max(rule.for_ms // 60, LEAST)]
    )


def pack() -> str:
    lines = [
        'id = "ward-rct-2025-seconds"',
        'title = "The rules of WARD\'s trial, a minute as a second"',
        'source = "ward-rct-2025; the conditions are the source\'s, the durations are a sixtieth of its own"',
    ]
    for rule in rules():
        when = ", ".join(f'"{clause}"' for clause in rule.when)
        lines += [
            "\n[[rule]]",
            f'id = "{rule.id}"',
            f'title = "{rule.title} (a minute as a second)"',
            f'priority = "{rule.priority}"',
            f'kind = "{rule.kind}"',
            f"when = [{when}]",
            f'for = "{rule.for_ms // SECOND}s"',
            f'clear_for = "{rule.clear_for_ms // SECOND}s"',
        ]
    return "\n".join(lines) + "\n"


def prometheus_rules() -> str:
    """Alerting rules; of a metric with a series a stay, so that ``and`` joins what belongs together."""
    lines = ["groups:", "  - name: ward-rct-2025", "    interval: 1s", "    rules:"]
    for rule in rules():
        condition = " and ".join(f"vital_{c.signal} {c.op} {c.number:g}" for c in rule.when)
        lines += [
            f"      - alert: {rule.id}",
            f"        expr: {condition}",
            f"        for: {rule.for_ms // SECOND}s",
            f"        keep_firing_for: {rule.clear_for_ms // SECOND}s",
            f"        labels: {{priority: {rule.priority}}}",
        ]
    return "\n".join(lines) + "\n"


CONDITIONS: Final = """
// One output a rule: a word where its condition begins to hold, or ends, for this patient.
const device = msg.topic.split('/')[3];
const v = msg.payload.readings;
const held = context.get(device) || {};
const out = new Array(RULES.length).fill(null);
let any = false;
RULES.forEach(([id, holds], n) => {
    const now = holds(v);
    if (now === Boolean(held[id])) return;
    held[id] = now;
    out[n] = {topic: device + '|' + id, payload: now ? {device, rule: id} : 'ok'};
    any = true;
});
context.set(device, held);
return any ? out : null;
"""


def node_red_flow() -> list[dict[str, Any]]:
    """mqtt in, a function that compares, a trigger a rule that waits, mqtt out."""
    every = rules()
    tests = ",\n".join(
        f"  ['{r.id}', v => {' && '.join(f'v.{c.signal} {c.op} {c.number:g}' for c in r.when)}]"
        for r in every
    )
    triggers = [f"wait-{rule.id}" for rule in every]
    nodes: list[dict[str, Any]] = [
        {"id": "flow", "type": "tab", "label": "ward-rct-2025"},
        {
            "id": "broker", "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(BROKER_PORT),
            "clientid": "", "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60",
            "cleansession": True,
        },
        {
            "id": "vitals", "type": "mqtt in", "z": "flow", "topic": "ward/v1/+/+/vitals", "qos": "1",
            "datatype": "json", "broker": "broker", "rap": True, "rh": 0, "inputs": 0,
            "wires": [["conditions"]],
        },
        {
            "id": "conditions", "type": "function", "z": "flow", "outputs": len(every),
            "func": f"const RULES = [\n{tests},\n];{CONDITIONS}", "libs": [],
            "wires": [[name] for name in triggers],
        },
    ]  # fmt: skip
    nodes += [
        {
            "id": name, "type": "trigger", "z": "flow", "name": rule.title, "op1": "", "op1type": "nul",
            "op2": "", "op2type": "pay", "duration": str(rule.for_ms // SECOND), "units": "s",
            "extend": False, "overrideDelay": False, "reset": "ok",
            "bytopic": "topic", "topic": "topic", "outputs": 1,
            "wires": [["told"]],
        }
        for name, rule in zip(triggers, every, strict=True)
    ]  # fmt: skip
    out = {"id": "told", "type": "mqtt out", "z": "flow", "topic": "peers/node-red", "qos": "1", "retain": ""}
    return [*nodes, {**out, "broker": "broker", "wires": []}]


FILES: Final = {
    "ward/pack.toml": pack,
    "prometheus/rules.yml": prometheus_rules,
    "node-red/flows.json": lambda: json.dumps(node_red_flow(), indent=1) + "\n",
}


def main() -> None:
    for name, text in FILES.items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(), "utf-8")


if __name__ == "__main__":
    main()
