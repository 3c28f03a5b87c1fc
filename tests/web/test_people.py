"""People: passwords, users made and changed by an administrator, one's own sessions."""

from __future__ import annotations

import pytest

from tests.web.conftest import PASSWORD, Client, TestClient, User, Wall, log_in, problem
from ward.store import people as store
from ward.web.passwords import require_good
from ward.web.people import FIRST_CODE_MS, change_user

A = "/api/v1"
NEW = "four entirely other words"


def fresh(client: Client) -> TestClient:
    made = client()
    made.headers["X-Ward-Request"] = "1"
    return made


def attempt(browser: TestClient, login: str = "jberg", password: str = "wrong words, all of them") -> object:
    return browser.post(f"{A}/session", json={"login": login, "password": password})


# Logging in


@pytest.mark.parametrize("login", ["jberg", "JBERG", " jberg ", "ｊｂｅｒｇ"])
def test_a_name_is_the_same_whatever_its_case_and_composition(client: Client, user: User, login: str) -> None:
    user()
    who = log_in(fresh(client), login)
    assert (who["name"], who["role"], who["wards"], who["account"]) == ("The jberg", "nurse", ["6A"], True)


def test_two_names_that_look_alike_are_one(client: Client, user: User) -> None:
    user("Straße")
    answer = client("admin").post(
        f"{A}/users", json={"login": "STRASSE", "name": "x", "role": "nurse", "wards": ["6A"]}
    )
    assert problem(answer)["type"] == "/problems/conflict"


def test_wrong_unknown_disabled_and_without_a_password_sound_alike(
    client: Client, user: User, engine, wall: Wall
) -> None:
    user()
    change_user(engine, user("gone").id, wall(), disabled=True)
    invited = user("invited").id
    with engine.begin() as tx:
        store.update_user(tx, invited, password=None)
    answers = {
        problem(attempt(fresh(client), login, password))["detail"]
        for login, password in [
            ("jberg", "wrong words, all of them"),
            ("nobody", PASSWORD),
            ("gone", PASSWORD),
            ("invited", PASSWORD),
        ]
    }
    assert answers == {"user name or password is wrong"}


def test_who_does_not_exist_costs_the_same_work(client: Client, user: User, passwords, monkeypatch) -> None:
    user()
    asked = []
    verify = passwords._hash.verify
    monkeypatch.setattr(
        passwords._hash, "verify", lambda *given: asked.append(given[1][:20]) or verify(*given)
    )
    for login in ("jberg", "nobody"):
        assert attempt(fresh(client), login).status_code == 401
    assert len(asked) == 2
    assert len(set(asked)) == 1  # the same kind and cost of hash


def test_what_a_login_must_be(client: Client) -> None:
    for body in ({}, {"login": "x"}, {"password": "x"}, {"login": "x", "password": "y", "token": "z"}):
        assert client().post(f"{A}/session", json=body).status_code == 422, body


def test_the_log_in_page_knows_the_ways(client: Client, user: User) -> None:
    assert client().get(f"{A}/session/ways").json() == {"password": False, "oidc": None}
    user()
    assert client().get(f"{A}/session/ways").json() == {"password": True, "oidc": None}


def test_logging_in_again_ends_the_session_before(browser: TestClient, client: Client) -> None:
    before = browser.cookies["ward_session"]
    log_in(browser)
    assert browser.cookies["ward_session"] != before
    old = client()
    old.cookies["ward_session"] = before
    assert old.get(f"{A}/session").status_code == 401


def test_over_https_the_cookie_is_bound_to_this_host(client: Client, user: User) -> None:
    user()
    safe = client(base_url="https://ward.example")
    answer = safe.post(f"{A}/session", json={"login": "jberg", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-ward_session=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=strict", "Path=/"))
    assert safe.get(f"{A}/session").status_code == 200
    # A cookie that somebody on the way to plain http could have set does not count.
    planted = client(base_url="https://ward.example")
    planted.cookies["ward_session"] = safe.cookies["__Host-ward_session"]
    assert planted.get(f"{A}/session").status_code == 401


# Guessing


def test_after_some_guesses_one_waits_longer_each_time(client: Client, user: User, wall: Wall) -> None:
    user()
    guest = fresh(client)
    for _ in range(5):
        assert attempt(guest).status_code == 401
    answer = attempt(guest, password=PASSWORD)
    assert problem(answer)["type"] == "/problems/locked-out"
    waits = []
    for _ in range(9):
        waits.append(int(attempt(guest).headers["retry-after"]))
        wall.time += waits[-1] * 1000
        assert attempt(guest).status_code == 401
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    wall.time += 300_000
    log_in(guest)
    assert attempt(guest).status_code == 401  # begun anew


def test_a_locked_out_attempt_does_not_lengthen_the_wait(client: Client, user: User, wall: Wall) -> None:
    user()
    guest = fresh(client)
    for _ in range(5):
        attempt(guest)
    for _ in range(50):
        assert attempt(guest).status_code == 429
    wall.time += 5_000
    log_in(guest)


def test_names_that_do_not_exist_are_locked_out_alike(client: Client) -> None:
    guest = fresh(client)
    assert [attempt(guest, "nobody").status_code for _ in range(6)] == [401] * 5 + [429]


def test_a_restart_forgets_no_guess(client: Client, user: User, service, wall: Wall, ui, passwords) -> None:
    from ward.web.app import create_app

    user()
    for _ in range(5):
        attempt(fresh(client))
    again = TestClient(create_app(service, wall=wall, ui=ui, passwords=passwords))
    assert attempt(again, password=PASSWORD).status_code == 429


def test_guessing_elsewhere_does_not_keep_a_nurse_from_her_ward(
    app, client: Client, user: User, wall: Wall
) -> None:
    user()
    mine = TestClient(app, client=("10.0.0.7", 1))
    log_in(mine)
    for address in range(9):  # many addresses, one name
        guesser = TestClient(app, client=(f"203.0.113.{address}", 1))
        for _ in range(4):
            attempt(guesser)
    assert attempt(TestClient(app, client=("203.0.113.99", 1)), password=PASSWORD).status_code == 429
    log_in(mine)


def test_guessing_at_her_own_address_does_not_keep_a_nurse_from_her_ward(app, user: User, wall: Wall) -> None:
    """A hospital behind one address, or behind a proxy that is not trusted."""
    user()
    mine = TestClient(app, client=("10.0.0.7", 1))
    log_in(mine)
    guesser = TestClient(app, client=("10.0.0.7", 2))
    for n in range(50):
        assert attempt(guesser, f"name-{n}").status_code == 401
    assert attempt(guesser, "another").status_code == 429
    log_in(mine)
    assert [attempt(guesser).status_code for _ in range(6)] == [401] * 5 + [429]
    wall.time += 60_000
    assert attempt(guesser, "another").status_code == 429  # what failed in her name counts for the address


def test_one_guesser_with_many_names_is_slowed_as_a_whole(app, wall: Wall) -> None:
    guesser = TestClient(app, client=("2001:db8::1", 1))
    neighbour = TestClient(app, client=("2001:db8::2", 1))  # the same network: it is his, too
    other = TestClient(app, client=("2001:db8:1::1", 1))
    for n in range(50):
        assert attempt(guesser, f"name-{n}").status_code == 401
    assert attempt(guesser, "another").status_code == 429
    assert attempt(neighbour, "another").status_code == 429
    assert attempt(other, "another").status_code == 401


def test_a_flood_at_once_is_counted_one_by_one(app, user: User, engine, wall: Wall) -> None:
    from concurrent.futures import ThreadPoolExecutor

    user()
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda _: attempt(TestClient(app)).status_code, range(12)))
    assert found.count(401) == 5
    assert found.count(429) == 7


def test_more_than_can_wait_are_sent_away(client: Client, user: User, passwords, engine, wall: Wall) -> None:
    user()
    passwords._busy += 1000
    try:
        answers = [attempt(fresh(client)) for _ in range(8)]
    finally:
        passwords._busy -= 1000
    assert [problem(answer)["status"] for answer in answers] == [503] * 8
    log_in(fresh(client))  # none of them counted as a guess


# Passwords


@pytest.mark.parametrize(
    "password",
    [
        "short words",
        "passwordpassword",
        "Password1234567!",
        "aaaaaaaaaaaaaaaaaaaa",
        "abababababababababab",
        "123456789012345678",
        "qwertyuiopasdfghjkl",
        "jberg jberg jberg",
        "Jonas-Berg-2026!!",
        "Ward-Nurse-2026-!!",
        "x" * 257,
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    with pytest.raises(Exception, match="password"):
        require_good(password, "jberg", "Jonas Berg")


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "correct horse battery staple",
        "7493 8264 1187 3320 91",
        "Grüne Äpfel über Łódź",
        "k" * 3 + NEW,
    ],
)
def test_nothing_is_asked_of_its_composition(password: str) -> None:
    require_good(password, "jberg", "Jonas Berg")


def test_changing_ones_own(browser: TestClient, client: Client) -> None:
    elsewhere = fresh(client)
    log_in(elsewhere)
    refused = browser.put(f"{A}/session/password", json={"current": "not this one at all", "password": NEW})
    assert problem(refused)["errors"][0]["field"] == "current"
    weak = browser.put(f"{A}/session/password", json={"current": PASSWORD, "password": "short"})
    assert "15 characters" in problem(weak)["detail"]
    answer = browser.put(f"{A}/session/password", json={"current": PASSWORD, "password": NEW})
    assert answer.status_code == 204
    assert browser.get(f"{A}/session").status_code == 200
    assert elsewhere.get(f"{A}/session").status_code == 401
    assert attempt(fresh(client), password=PASSWORD).status_code == 401
    log_in(fresh(client), password=NEW)


def test_no_password_is_kept_or_told(browser: TestClient, engine, capsys) -> None:
    attempt(browser, password="a secret that is wrong")
    with engine.connect() as connection:
        rows = [
            repr(connection.exec_driver_sql(f"SELECT * FROM {table}").all())
            for table in ("users", "sessions", "attempts", "login_codes", "audit")
        ]
    told = capsys.readouterr()
    for text in (*rows, told.out, told.err):
        assert PASSWORD not in text
        assert "a secret that is wrong" not in text
        assert browser.cookies["ward_session"] not in text
    assert "jberg" not in rows[2]  # people type passwords into the field for the name
    assert "$argon2id$" in rows[0]


# Users


@pytest.fixture
def admin(client: Client) -> TestClient:
    return client("admin")


def invite(admin: TestClient, **given: object) -> dict:
    body = {"login": "nina", "name": "Nina Weiß", "role": "nurse", "wards": ["6A"], **given}
    answer = admin.post(f"{A}/users", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{A}/users/{answer.json()['id']}"
    return answer.json()


def test_a_user_is_invited_and_sets_her_password(admin: TestClient, client: Client) -> None:
    made = invite(admin)
    assert not made["has_password"]
    browser = fresh(client)
    weak = browser.post(f"{A}/session/password", json={"code": made["code"], "password": "nina"})
    assert problem(weak)["type"] == "/problems/invalid"
    answer = browser.post(f"{A}/session/password", json={"code": made["code"], "password": NEW})
    assert answer.json()["name"] == "Nina Weiß"
    assert browser.get(f"{A}/stays").status_code == 200
    again = fresh(client).post(f"{A}/session/password", json={"code": made["code"], "password": PASSWORD})
    assert problem(again)["status"] == 401
    log_in(fresh(client), "nina", NEW)
    shown = admin.get(f"{A}/users/{made['id']}").json()
    assert shown["has_password"]
    assert not {"code", "password"} & set(shown)


def test_a_code_for_a_password_does_not_log_in_and_gets_old(admin: TestClient, client: Client, wall) -> None:
    code = invite(admin)["code"]
    assert client().get(f"/login?code={code}", follow_redirects=False).status_code == 401
    wall.time += FIRST_CODE_MS
    late = client().post(f"{A}/session/password", json={"code": code, "password": NEW})
    assert late.status_code == 401


@pytest.mark.parametrize(
    "given",
    [
        {"role": "integration"},
        {"role": "kiosk"},
        {"wards": None},
        {"wards": []},
        {"login": "a b"},
        {"login": ""},
    ],
)
def test_what_a_user_must_be(admin: TestClient, given: dict) -> None:
    body = {"login": "nina", "name": "Nina", "role": "nurse", "wards": ["6A"], **given}
    assert problem(admin.post(f"{A}/users", json=body))["type"] == "/problems/invalid"


def test_users_are_listed_without_anything_secret(admin: TestClient, user: User) -> None:
    user()
    invite(admin)
    listed = admin.get(f"{A}/users").json()["items"]
    assert [one["login"] for one in listed] == ["jberg", "nina"]
    assert "argon2" not in repr(listed)


def test_a_changed_role_and_ward_hold_at_once(admin: TestClient, browser: TestClient) -> None:
    (mine,) = admin.get(f"{A}/users").json()["items"]
    assert [s["id"] for s in browser.get(f"{A}/stays").json()["items"]] == ["stay-6A"]
    answer = admin.patch(f"{A}/users/{mine['id']}", json={"wards": ["6B"]})
    assert answer.json()["wards"] == ["6B"]
    assert [s["id"] for s in browser.get(f"{A}/stays").json()["items"]] == ["stay-6B"]
    admin.patch(f"{A}/users/{mine['id']}", json={"role": "clinician", "wards": None})
    assert len(browser.get(f"{A}/stays").json()["items"]) == 2


def test_who_is_disabled_is_out_at_once(admin: TestClient, browser: TestClient, client: Client) -> None:
    (mine,) = admin.get(f"{A}/users").json()["items"]
    admin.patch(f"{A}/users/{mine['id']}", json={"disabled": True})
    assert browser.get(f"{A}/session").status_code == 401
    assert attempt(fresh(client), password=PASSWORD).status_code == 401
    admin.patch(f"{A}/users/{mine['id']}", json={"disabled": False})
    log_in(fresh(client))
    assert browser.get(f"{A}/session").status_code == 401  # the old session does not come back


def test_a_reset_takes_password_and_sessions_away_and_ends_a_lock_out(
    app, admin: TestClient, browser: TestClient, client: Client
) -> None:
    for address in range(21):
        attempt(TestClient(app, client=(f"203.0.113.{address}", 1)))
    (mine,) = admin.get(f"{A}/users").json()["items"]
    made = admin.post(f"{A}/users/{mine['id']}/reset").json()
    assert browser.get(f"{A}/session").status_code == 401
    assert attempt(TestClient(app, client=("10.1.1.1", 1)), password=PASSWORD).status_code == 401
    new = TestClient(app, client=("10.1.1.2", 1))
    assert new.post(f"{A}/session/password", json={"code": made["code"], "password": NEW}).status_code == 201


def test_the_last_administrator_stays_one(client: Client, user: User) -> None:
    boss = user("boss", "admin")
    browser = fresh(client)
    log_in(browser, "boss")
    for change in ({"disabled": True}, {"role": "clinician"}, {"wards": ["6A"]}):
        answer = browser.patch(f"{A}/users/{boss.id}", json=change)
        assert problem(answer)["type"] == "/problems/conflict", change
    user("second", "admin")
    assert browser.patch(f"{A}/users/{boss.id}", json={"role": "clinician"}).status_code == 200
    assert browser.get(f"{A}/users").status_code == 403


def test_an_admin_of_some_wards_makes_nobody(client: Client) -> None:
    local = client("admin", ["6A"])
    assert local.get(f"{A}/users").status_code == 403
    body = {"login": "more", "name": "more", "role": "admin"}
    assert local.post(f"{A}/users", json=body).status_code == 403


# One's own sessions


def test_seeing_and_ending_ones_own_sessions(browser: TestClient, client: Client, user: User) -> None:
    phone = fresh(client)
    log_in(phone, headers={"User-Agent": "Phone\x07 of Jonas"})
    user("other")
    stranger = fresh(client)
    log_in(stranger, "other")
    listed = browser.get(f"{A}/sessions").json()["items"]
    assert len(listed) == 2
    assert sum(one["current"] for one in listed) == 1
    theirs = next(one for one in listed if not one["current"])
    assert (theirs["agent"], theirs["method"]) == ("Phone of Jonas", "password")
    assert problem(stranger.delete(f"{A}/sessions/{theirs['id']}"))["status"] == 404
    assert browser.delete(f"{A}/sessions/{theirs['id']}").status_code == 204
    assert phone.get(f"{A}/session").status_code == 401
    assert browser.get(f"{A}/session").status_code == 200


def test_logging_out_everywhere(browser: TestClient, client: Client, admin: TestClient) -> None:
    other = fresh(client)
    log_in(other)
    assert browser.delete(f"{A}/sessions").status_code == 204
    for one in (browser, other):
        assert one.get(f"{A}/session").status_code == 401
    log_in(other)
    (mine,) = admin.get(f"{A}/users").json()["items"]
    assert admin.delete(f"{A}/users/{mine['id']}/sessions").status_code == 204
    assert other.get(f"{A}/session").status_code == 401


def test_who_logged_in_and_who_was_refused_is_told_in_the_trail(browser: TestClient, engine) -> None:
    attempt(browser)
    attempt(browser, "nobody")
    with engine.connect() as connection:
        lines = connection.exec_driver_sql(
            "SELECT actor, outcome FROM audit WHERE action = 'access-log-in' ORDER BY seq"
        ).all()
    assert [tuple(line) for line in lines] == [("The jberg", "done"), ("jberg", "refused"), ("", "refused")]
