"""A ward's past, made by hand: stays, alerts, what people said of them, and time that was watched."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, insert

from ward.alerts.model import Alert, Event
from ward.reports.tally import HOURS, MONITORED, PRESENT
from ward.signals import HOUR, MINUTE, SECOND
from ward.store.alerts import save_alerts
from ward.store.events import append_events
from ward.store.stays import admit
from ward.store.tables import deliveries
from ward.store.tallies import DAY, Tally, add_tallies

START = 20_000 * DAY
END = START + 14 * DAY


class Past:
    def __init__(self, tx: Connection) -> None:
        self.tx, self.made = tx, 0

    def stays(self, number: int, ward: str = "6A") -> None:
        for n in range(number):
            admit(self.tx, stay=f"{ward}-{n}", patient_ref="p", ward=ward, bed=str(n), devices=[], at=START)

    def watched(self, stays: int, days: int = 14, ward: str = "6A") -> None:
        """So many stays for so many days, each with a valid signal all day long."""
        hours = [stays * 3600] * HOURS
        add_tallies(
            self.tx, [Tally(ward, START + n * DAY, {MONITORED: hours, PRESENT: hours}) for n in range(days)]
        )

    def alert(
        self,
        rule: str = "spo2-below-88",
        stay: int = 0,
        at: int = HOUR,
        said: str | None = None,
        *,
        ward: str = "6A",
        priority: str = "high",
        after: int = 5 * MINUTE,
        lasts: int = 10 * MINUTE,
        why: str | None = "first",
        sent: int | None = None,
    ) -> str:
        """Raised so long after START, told a second later, assessed ``after`` that, over after ``lasts``."""
        self.made += 1
        raised = START + at
        alert = Alert(
            f"alert-{self.made}", f"{ward}-{stay}", ward, str(stay), rule, rule, priority, "physiological",
            "closed", breach_since=raised - 600_000, raised_at=raised, announced_at=raised + SECOND,
            cleared_at=raised + lasts, closed_at=raised + lasts,
        )  # fmt: skip
        save_alerts(self.tx, [alert])
        event = Event(raised + SECOND, alert.stay, ward, alert.id, "raised", notify=why)
        append_events(self.tx, [event])
        if said:
            taken = replace(event, at=raised + SECOND + after, kind="acknowledged", by="Ada", notify=None)
            append_events(self.tx, [replace(taken, detail={"assessment": said, "note": None})])
        if sent is not None:
            self.tx.execute(
                insert(deliveries).values(
                    key=alert.id, alert=alert.id, ward=ward, priority=priority, kind="physiological",
                    reason="first", level=0, person="ada", channel="pager", text={}, created=raised,
                    due=raised, raised_at=raised, state="sent", sent=raised + sent,
                )
            )  # fmt: skip
        return alert.id
