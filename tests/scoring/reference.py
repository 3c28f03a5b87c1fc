"""Section 4 of the public contract, written down slowly and plainly, to hold the engine against.

Time is cut into ticks so small that nothing changes within one; every question is answered by going
back over the ticks one by one. It knows nothing of the engine but the rule's own fields.
"""

from __future__ import annotations

from dataclasses import dataclass

from ward.scoring.rules import Clause, Rule

OK, BREACH, UNKNOWN = "ok", "breach", "unknown"
NEWS2_SIGNALS = ("rr", "spo2", "sbp", "hr", "temp", "consciousness", "oxygen")


@dataclass(frozen=True)
class Reading:
    signal: str
    time: int
    value: float
    hold: int
    seq: int = -1
    device: int = 0


@dataclass(frozen=True)
class Event:
    at: int
    rule: str
    kind: str
    since: int


class Reference:
    """What one stay's readings say at each instant, in steps of ``tick`` ms."""

    def __init__(
        self, readings: list[Reading], end: int, tick: int, declared: frozenset[str] = frozenset()
    ) -> None:
        self.tick, self.end, self.declared = tick, end, declared
        in_order = sorted(enumerate(readings), key=lambda r: (r[1].time, r[1].seq, r[0]))
        self.start = min((r.time for r in readings), default=end)
        self.effective: dict[str, list[tuple[int, float, int, bool]]] = {}
        for name in {r.signal for r in readings}:
            self.effective[name] = self._owned([r for _, r in in_order if r.signal == name])

    def _owned(self, readings: list[Reading]) -> list[tuple[int, float, int, bool]]:
        """(from, value, until, is a reading) of one signal: the device that has it keeps it."""
        spans: list[tuple[int, float, int, bool]] = []
        owner: Reading | None = None
        waiting: Reading | None = None
        for t in [*dict.fromkeys(r.time for r in readings), None]:
            while owner and waiting and (t is None or owner.time + owner.hold <= t):
                ends = owner.time + owner.hold
                if waiting.time + waiting.hold > ends:
                    spans.append((ends, waiting.value, waiting.time + waiting.hold, False))
                    owner, waiting = waiting, None
                else:
                    waiting = None
            for r in (r for r in readings if r.time == t):
                if owner is None or r.device == owner.device or owner.time + owner.hold <= r.time:
                    owner = r
                    spans.append((r.time, r.value, r.time + r.hold, True))
                    if waiting and waiting.device == r.device:
                        waiting = None
                else:
                    waiting = r
        return spans

    def value(self, signal: str, t: int) -> float | None:
        """The value that holds at t, or None: UNKNOWN."""
        begun = [s for s in self.effective.get(signal, []) if s[0] <= t]
        if not begun:
            return None
        _, value, until, _ = begun[-1]
        return value if t < until else None

    def ever(self, signal: str, t: int) -> bool:
        return any(s[0] <= t for s in self.effective.get(signal, []))

    def read(self, signal: str, t: int) -> bool:
        return any(s[0] == t and s[3] for s in self.effective.get(signal, []))

    def clause(self, clause: Clause, t: int) -> str:
        if clause.op == "absent":
            if not self.ever(clause.signal, t):
                return BREACH if clause.signal in self.declared else OK
            return BREACH if self.value(clause.signal, t) is None else OK
        value = self.value(clause.signal, t)
        if clause.signal == "hr" and value is None:
            value = self.value("pr", t)
        if value is None:
            return UNKNOWN
        holds = {
            "<": value < clause.number,
            "<=": value <= clause.number,
            ">": value > clause.number,
            ">=": value >= clause.number,
        }[clause.op]
        return BREACH if holds else OK

    def condition(self, clauses: tuple[Clause, ...], t: int) -> str:
        states = [self.clause(c, t) for c in clauses]
        if OK in states:
            return OK
        return UNKNOWN if UNKNOWN in states else BREACH

    def counts(self, rule: Rule, t: int) -> bool:
        """A reading of the rule's signals at t found the condition in BREACH."""
        if self.condition(rule.when, t) != BREACH:
            return False
        stands_in = "hr" in rule.signals and self.value("hr", t) is None and self.read("pr", t)
        return stands_in or any(self.read(s, t) for s in rule.signals)

    def events(self, rule: Rule) -> list[Event]:
        """Every raising and clearing of one rule, up to and including the end."""
        found: list[Event] = []
        state = {t: self.condition(rule.when, t) for t in range(self.start, self.end + 1, self.tick)}
        clears = {
            t: (self.condition(rule.clear_when, t) == BREACH) if rule.clear_when else state[t] == OK
            for t in state
        }
        reads = {t for t in state if self.counts(rule, t)}
        exempt = any(c.op == "absent" for c in rule.when)
        clock, raised_since, cleared_from = self.start, None, self.start
        for t in state:  # t is an instant; the tick before it is [t - tick, t)
            clock = max(clock, self._after_long_unknown(state, clock, t, rule.gap_ms))
            if raised_since is not None:
                total = 0
                for u in range(t - self.tick, cleared_from - 1, -self.tick):
                    if state[u] == BREACH:
                        break
                    total += self.tick * clears[u]
                if total >= rule.clear_for_ms:
                    found.append(Event(t, rule.id, "cleared", raised_since))
                    raised_since, clock = None, t
            if raised_since is None:
                since = self._sustained(state, clock, t, rule)
                if since is not None and (exempt or sum(since <= r <= t for r in reads) >= rule.min_readings):
                    found.append(Event(t, rule.id, "raised", since))
                    raised_since, cleared_from = since, t
        return found

    def _after_long_unknown(self, state: dict[int, str], clock: int, t: int, gap: int) -> int:
        """The clock's start if the tick before t ends an UNKNOWN longer than the gap (or goes on in it)."""
        length, u = 0, t - self.tick
        while u >= clock and state[u] == UNKNOWN:
            length += self.tick
            u -= self.tick
        return t if length > gap else clock

    def _sustained(self, state: dict[int, str], clock: int, t: int, rule: Rule) -> int | None:
        """The first BREACH of the present run, if the last `within` of known time holds `for` of it."""
        known = breach = 0
        u = t
        while u > clock and known < rule.within_ms and breach < rule.for_ms:
            u -= self.tick
            if state[u] != UNKNOWN:
                known += self.tick
            if state[u] == BREACH:
                breach += self.tick
        if breach < rule.for_ms:
            return None
        first = u
        while u > clock and state[u - self.tick] != OK:
            u -= self.tick
            if state[u] == BREACH:
                first = u
        return first
