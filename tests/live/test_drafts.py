"""A change that was tried, approved and put in force then does live what the trial said; and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.test_trial import listed, play, told
from tests.live.world import START, World
from tests.web.conftest import TestClient
from ward.alerts.packs import rule_to_dict
from ward.clock import iso
from ward.errors import ConflictError, NotFoundError, PreconditionError
from ward.live import snapshots
from ward.store import drafts
from ward.store.rules import rule_history
from ward.web.app import create_app
from ward.web.identity import create_token

A = "/api/v1"
RULE = "spo2-below-88"


@contextmanager
def people(world: World) -> Iterator[tuple[TestClient, TestClient]]:
    """Two who may change rules, before the API of this very core."""

    async def call(command: str, **arguments: Any) -> Any:
        return world.do(command, **arguments)

    world.service.call = call  # type: ignore[method-assign]  # there is no core's thread
    app = create_app(world.service, wall=lambda: world.now)
    found = []
    for name in ("Ann", "Ben"):
        _, secret = create_token(
            world.service.engine_db, name=name, role="clinician", wards=None, now=world.now
        )
        found.append(TestClient(app, headers={"Authorization": f"Bearer {secret}"}))
    yield found[0], found[1]


def agreed(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Proposed by one, approved by another, put in force."""
    with people(world) as (ann, ben):
        made = ann.post(f"{A}/drafts", json={"title": "t", "scope": "all", **given})
        assert made.status_code == 201, made.text
        path = f"{A}/drafts/{made.json()['id']}"
        assert ben.post(f"{path}/approve", json={}).status_code == 200
        applied = ann.post(f"{path}/apply", json={})
        assert applied.status_code == 200, applied.text
    return dict(applied.json())


def test_what_was_tried_and_approved_is_what_then_happens(tmp_path: Path) -> None:
    before = World(tmp_path / "before", clock="replay")
    beds = play(before)
    snapshots.flush(before.service.core)
    change = {"id": RULE, "when": ["spo2 < 90"], "for": "4m", "clear_for": "3m"}
    with people(before) as (ann, ben):
        tried = ann.post(
            f"{A}/rules/trial",
            json={"rules": [change], "scope": "all", "start": iso(START), "end": iso(before.now)},
        ).json()
        draft = ann.post(f"{A}/drafts", json={"title": "Sooner", "scope": "all", "trial": tried["id"]}).json()
        assert draft["trial"]["candidate"]["alerts"] == tried["settings"][0]["alerts"]
        assert not any(stay in repr(draft["trial"]) for stay in beds)  # of the ward, not of patients
        assert ben.post(f"{A}/drafts/{draft['id']}/approve", json={}).status_code == 200
        assert ann.post(f"{A}/drafts/{draft['id']}/apply", json={}).json()["state"] == "applied"
        history = ann.get(f"{A}/rules/{RULE}/history").json()["items"]
    in_force = rule_to_dict(before.service.core.rulebook.rule(RULE))
    before.close()
    assert listed(tried["now"], beds) != listed(tried["raised"], beds)
    assert [(v["by"], v["proposed_by"], v["approved_by"], v["draft"], v["why"]) for v in history] == [
        ("Ann", "Ann", "Ben", draft["id"], "Sooner")
    ]

    after = World(tmp_path / "after", clock="replay")
    agreed(after, {"rules": [{"id": RULE, **draft["changes"][0]["change"]}]})
    assert rule_to_dict(after.service.core.rulebook.rule(RULE)) == in_force
    lived = play(after)
    assert told(after, lived) == listed(tried["raised"], beds)
    after.close()


def proposed(world: World, scope: str, *changes: dict[str, Any], state: str = "approved") -> str:
    """A draft as the web would store it."""
    book, core = world.service.changed, world.service.core
    given = {change["id"]: {k: v for k, v in change.items() if k != "id"} for change in changes}
    in_force = {rule["id"]: rule for rule in world.service.rules(scope)}
    listed_ = [
        {"rule": rule["id"], "base": in_force.get(rule["id"]), "change": given[rule["id"]], "after": rule}
        for rule in book(scope, given)
    ]
    with core.db.begin() as tx:
        number = len(drafts.list_drafts(tx).items)
        draft = drafts.Draft(
            id=f"d{number}", title="t", why=None, scope=scope, state=state, changes=listed_, trial=None,
            by="Ann", by_id="user:1", at=world.now, approved_by="Ben", approved_at=world.now,
        )  # fmt: skip
        drafts.add_draft(tx, draft)
    return draft.id


def in_force(world: World, scope: str, rule: str = RULE) -> dict[str, Any] | None:
    return next((one for one in world.service.rules(scope) if one["id"] == rule), None)


def test_back_is_what_was_also_when_wider_rules_change_later(world: World) -> None:
    world.do("put_rule", rule_id=RULE, definition={"for": "11m"}, scope="all", expected="0")
    draft = proposed(world, "ward:w", {"id": RULE, "for": "4m"})
    world.do("apply_draft", draft=draft, state="approved")
    assert in_force(world, "ward:w")["for"] == "4m"
    world.do("return_draft", draft=draft, state="applied", why="too many")
    assert in_force(world, "ward:w") == in_force(world, "all")
    world.do("put_rule", rule_id=RULE, definition={"for": "12m"}, scope="all", expected="1")
    assert in_force(world, "ward:w")["for"] == "12m"  # the ward has none of its own again
    world.crash()
    assert in_force(world, "ward:w")["for"] == "12m"
    with world.service.engine_db.connect() as connection:
        versions = rule_history(connection, RULE, "ward:w")
    assert [(v.version, v.follows, v.draft, v.why) for v in versions] == [
        (2, True, draft, "too many"),
        (1, False, draft, "t"),
    ]


def test_back_to_an_earlier_version_of_the_same_scope(world: World) -> None:
    world.do("put_rule", rule_id=RULE, definition={"for": "11m"}, scope="ward:w", expected="0")
    draft = proposed(world, "ward:w", {"id": RULE, "for": "4m"})
    world.do("apply_draft", draft=draft, state="approved")
    world.do("return_draft", draft=draft, state="applied", why=None)
    shown = in_force(world, "ward:w")
    assert (shown["for"], shown["version"], shown["scope"]) == ("11m", 3, "ward:w")


def test_a_new_rule_goes_again(world: World) -> None:
    new = {"id": "mine", "priority": "low", "when": ["rr > 20"], "for": "90s"}
    draft = proposed(world, "all", new, {"id": RULE, "for": "4m"})
    world.do("apply_draft", draft=draft, state="approved")
    assert in_force(world, "all", "mine")["for"] == "90s"
    world.do("return_draft", draft=draft, state="applied", why=None)
    assert in_force(world, "all", "mine") is None
    assert in_force(world, "all")["for"] == "10m"


def test_a_rule_is_taken_out_and_comes_back(world: World) -> None:
    given = {"rules": [{"id": RULE, "for": "4m"}, {"id": "hr-above-130", "retired": True}]}
    shown = agreed(world, given)
    assert [one["after"] and one["after"]["for"] for one in shown["changes"]] == ["4m", None]
    assert (in_force(world, "all", "hr-above-130"), shown["conflicts"]) == (None, [])
    assert "return" in shown["may"]
    world.crash()
    assert in_force(world, "all", "hr-above-130") is None
    world.do("return_draft", draft=shown["id"], state="applied", why=None)
    assert in_force(world, "all", "hr-above-130")["scope"] == "pack"


def test_who_rejects_her_own_has_withdrawn_it(world: World) -> None:
    with people(world) as (ann, _):
        given = {"title": "t", "scope": "all", "rules": [{"id": RULE, "for": "4m"}]}
        made = ann.post(f"{A}/drafts", json=given).json()
        assert "reject" not in made["may"]
        after = ann.post(f"{A}/drafts/{made['id']}/reject", json={"text": "no"}).json()
    assert (after["state"], after["log"][-1]["kind"]) == ("withdrawn", "withdraw")


def test_all_its_rules_or_none(world: World) -> None:
    draft = proposed(world, "all", {"id": RULE, "for": "4m"}, {"id": "hr-above-130", "for": "1m"})
    world.do("put_rule", rule_id="hr-above-130", definition={"for": "2m"}, scope="all", expected="0")
    with pytest.raises(PreconditionError, match="hr-above-130"):
        world.do("apply_draft", draft=draft, state="approved")
    assert in_force(world, "all")["for"] == "10m"
    with world.service.engine_db.connect() as connection:
        assert drafts.get_draft(connection, draft).state == "approved"
        assert rule_history(connection, RULE) == []


def test_each_step_is_taken_once(world: World) -> None:
    draft = proposed(world, "all", {"id": RULE, "for": "4m"})
    world.do("apply_draft", draft=draft, state="approved")
    with pytest.raises(ConflictError, match="applied by now"):
        world.do("apply_draft", draft=draft, state="approved")
    world.do("put_rule", rule_id=RULE, definition={"for": "5m"}, scope="all", expected="1")
    with pytest.raises(PreconditionError, match="changed again since"):
        world.do("return_draft", draft=draft, state="applied", why=None)


def test_a_patient_who_has_left_has_no_rules(world: World) -> None:
    stay = world.admit()
    draft = proposed(world, f"stay:{stay}", {"id": RULE, "for": "4m"})
    world.do("discharge", stay=stay)
    world.tick(10 * 60_000)
    world.runner.take_snapshot()
    with pytest.raises(NotFoundError):
        world.do("apply_draft", draft=draft, state="approved")
