"""Heart rate 0 beside a good pulse is told as what it is: leads that came off, never a bradycardia."""

from __future__ import annotations

from tests.live.world import World
from ward.signals import SECOND


def test_leads_off_is_a_technical_alert_and_no_bradycardia(world: World) -> None:
    world.admit()
    world.live(20, hr=80, pr=80, spo2=97)
    began = world.now
    world.live(100, hr=0, pr=80, spo2=97)
    alerts = {alert.rule: alert for alert in world.alerts()}
    assert set(alerts) == {"leads-off"}
    alert = alerts["leads-off"]
    assert alert.kind == "technical"
    assert alert.breach_since == began
    assert began + 30 * SECOND <= alert.raised_at <= began + 34 * SECOND

    world.live(40, hr=81, pr=80, spo2=97)
    assert world.alerts()[0].cleared_at is not None


def test_a_stopped_heart_is_told_as_such(world: World) -> None:
    world.admit()
    world.live(20, hr=80, pr=80, spo2=97)
    world.live(100, hr=0)
    assert {alert.rule for alert in world.alerts()} == {"hr-below-30"}
