"""The technical alerts that are always on, outside any pack: as rules, and as a watch that finds them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from ward.language import Language, Titles
from ward.scoring.rules import Priority, Rule
from ward.signals import MINUTE

SILENCE: Final = 5 * MINUTE
"""A device, or a whole stay, that says nothing for so long is lost."""
OFFSET: Final = 60_000
"""A device clock that is off by more than this (ms) is told."""


SERVICE: Final = ""
"""The stay of the service's own faults: nobody's, and so everybody's concern."""


def _rule(
    rule_id: str, title: str, priority: Priority, *, da: str, nb: str, inhibits: tuple[str, ...] = ()
) -> Rule:
    return Rule(
        id=rule_id,
        title=title,
        titles=(("da", da), ("nb", nb)),
        priority=priority,
        kind="technical",
        when=(),
        for_ms=SILENCE,
        within_ms=SILENCE,
        gap_ms=SILENCE,
        inhibits=inhibits,
    )


RULES: Final[dict[str, Rule]] = {
    rule.id: rule
    for rule in (
        _rule(
            "device-lost",
            "Device lost",
            "medium",
            da="Ingen forbindelse til apparat",
            nb="Ingen forbindelse med apparat",
        ),
        # One alert says it all when nothing comes in; the ids are those of the pack 'default', and
        # free to be used by any other pack for the same purpose.
        _rule(
            "no-valid-reading",
            "No valid reading",
            "medium",
            da="Ingen gyldig måling",
            nb="Ingen gyldig måling",
            inhibits=("spo2-absent", "hr-absent", "rr-absent", "sbp-absent"),
        ),
        # The heart beats, as the pulse shows, but nobody sees its rhythm.
        _rule(
            "leads-off",
            "Leads off: heart rate 0 beside a good pulse",
            "medium",
            da="Elektroder løse: hjertefrekvens 0 trods god puls",
            nb="Elektroder løse: hjertefrekvens 0 tross god puls",
            inhibits=("hr-absent",),
        ),
        _rule(
            "clock-offset",
            "Device clock is off",
            "low",
            da="Apparatets ur går forkert",
            nb="Apparatets klokke går feil",
        ),
        # It guards an alert that may be true, so it is more than a hint.
        _rule("measure-again", "Measure again", "medium", da="Mål igen", nb="Mål på nytt"),
        _rule(
            "service-fault",
            "Fault of the alarm service",
            "high",
            da="Fejl i alarmsystemet",
            nb="Feil i alarmsystemet",
        ),
        # A hint, and a rare one: somebody should look whose device this is.
        _rule(
            "other-patient",
            "Signals look like another patient's: is the device on the right patient?",
            "medium",
            da="Signalerne ligner en anden patients: sidder apparatet på den rette patient?",
            nb="Signalene ligner en annen pasients: sitter apparatet på rett pasient?",
        ),
        # Nobody need run for it: somebody should ask what has changed.
        _rule(
            "drift",
            "Readings or alerts differ from their reference",
            "low",
            da="Målinger eller alarmer afviger fra deres reference",
            nb="Målinger eller alarmer avviker fra sin referanse",
        ),
    )
}


PARTS: Final[dict[str, dict[Language, str]]] = {
    part: {"da": da, "nb": nb}
    for part, da, nb in (
        ("broker", "ingen forbindelse til brokeren", "ingen forbindelse til brokeren"),
        ("clock", "maskinens ur", "maskinens klokke"),
        ("core", "vurderingen står stille", "vurderingen står stille"),
        ("disk", "disken er næsten fuld", "disken er nesten full"),
        ("engine", "vurderingen står stille", "vurderingen står stille"),
        ("events", "skærmene", "skjermene"),
        ("housekeeping", "oprydning", "opprydding"),
        ("journal", "målinger kan ikke gemmes", "målinger kan ikke lagres"),
        ("mqtt", "modtagelsen", "mottaket"),
        ("notify", "besked til personer", "beskjed til personer"),
        ("outbox", "besked til brokeren", "beskjed til brokeren"),
        ("overload", "overbelastet", "overbelastet"),
        ("recovery", "opstart", "oppstart"),
        ("snapshots", "øjebliksbilleder", "øyeblikksbilder"),
    )
}
"""Parts of the service that may fail, as the alert of it says; others are told by their name."""


def rule_for(rule_id: str, key: str = "") -> Rule:
    """The rule, made specific to one device (or rule, or fault): two lost devices are two alerts.

    The id is then ``device-lost:mon-01``, the title ``Device lost: mon-01``.
    """
    rule = RULES[rule_id]
    if not key:
        return rule
    words = PARTS.get(key, {}) if rule_id == "service-fault" else {}
    named: Titles = tuple(
        (language, f"{title}: {words.get(language, key)}") for language, title in rule.titles
    )
    return replace(rule, id=f"{rule_id}:{key}", title=f"{rule.title}: {key}", titles=named)


def is_technical(rule_id: str) -> bool:
    """One of these, made specific or not."""
    return rule_id.partition(":")[0] in RULES
