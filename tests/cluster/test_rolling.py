"""This release and the next one, whose schema has more, side by side on one database."""

import pytest
from sqlalchemy import text

from tests.brokers import until
from tests.cluster.roles import PATIENCE_S, WARDS, Role, parts, started
from tests.cluster.rolling import NEXT, ROOT, next_ward, runs
from tests.e2e.served import wait_for
from tests.notify.test_end_to_end import Patient
from ward.store import schema
from ward.store.database import open_database


class Engine(Role):
    """Of one partition, at whose port it is asked."""

    def __init__(self, folder, number, given, code, how="--partitions"):
        super().__init__(folder, *given, program=("engine", how, str(number)))
        self.number, self.port = number, self.port + number
        runs(self, code)


class Ward:
    """A patient in it, whose device never stops, and who has an alert when she is to have one."""

    def __init__(self, number, broker):
        self.name, self.number = WARDS[number], number
        self.device = Patient(broker.port, f"mon-{number}", 97.0, ward=self.name)
        self.stay = ""

    def admit(self, api):
        body = {"patient_ref": "p", "ward": self.name, "bed": "1", "devices": [f"mon-{self.number}"]}
        self.stay = api.post("/stays", json={**body, "flags": []}).json()["id"]
        self.device.start()

    def alarms(self, api):
        """An alert comes up, and what it is about is over again."""
        for self.device.spo2, is_active in ((80.0, True), (97.0, False)):
            wait_for(
                api,
                f"/stays/{self.stay}",
                lambda view, wanted=is_active: wanted == any(a["state"] == "active" for a in view["alerts"]),
                PATIENCE_S,
            )


@pytest.fixture
def cluster(tmp_path):
    with parts("ward-rolling-") as (folder, broker, given):
        database = open_database(given[1])
        yield folder, broker, given, next_ward(tmp_path / "next"), database
        database.dispose()


@pytest.mark.timeout(1200)
def test_both_work_side_by_side(cluster):
    folder, broker, given, code, database = cluster

    def writers(number):
        """Which release wrote each event of a partition, in order."""
        query = text('SELECT written_by FROM events WHERE "partition" = :n ORDER BY seq')
        with database.connect() as connection:
            return list(connection.scalars(query, {"n": number}))

    this = [Engine(folder / f"this-{n}", n, given, ROOT) for n in (0, 1)]
    following = [
        Engine(folder / "next-0", 0, given, code),
        Engine(folder / "next-1", 1, given, code, "--standby"),
    ]
    token = this[0].token()
    wards = [Ward(n, broker) for n in (0, 1)]
    with started(this):
        for one, ward in zip(this, wards, strict=True):
            until(one.is_ready, PATIENCE_S)
            ward.admit(one.client(token))
            ward.alarms(one.client(token))
        with database.connect() as connection:
            assert schema.version(connection) == schema.newest()

        this[0].stop()
        with started(following[:1]):  # the schema grows while the other partition is watched by this release
            until(following[0].is_ready, PATIENCE_S)
            with database.connect() as connection:
                assert schema.version(connection) == NEXT
            assert this[1].process.poll() is None
            for one, ward in zip((following[0], this[1]), wards, strict=True):
                ward.alarms(one.client(token))
            assert writers(0)[-1] == "next"
            assert set(writers(1)) == {"this"}

            this[1].kill()  # this release begins anew on the schema of the next
            this[1].start()
            wards[1].alarms(this[1].client(token))
            assert set(writers(1)) == {"this"}

            with started(following[1:]):
                until(lambda: "standing by" in (folder / "next-1" / "log").read_text(), PATIENCE_S)
                this[1].stop()
                until(following[1].is_ready, PATIENCE_S)
                wards[1].alarms(following[1].client(token))
                assert writers(1)[-1] == "next"
                this[1].program = ("engine", "--standby", "1")
                this[1].start(ready=False)
                said = (folder / "this-1" / "log").read_text()
                until(
                    lambda: "standing by" in (folder / "this-1" / "log").read_text()[len(said) :], PATIENCE_S
                )
                following[1].stop()
                until(this[1].is_ready, PATIENCE_S)
                wards[1].alarms(this[1].client(token))
                assert writers(1)[-1] == "this"

            for one, ward in zip((following[0], this[1]), wards, strict=True):
                ward.device.end()
                wait_for(
                    one.client(token),
                    f"/stays/{ward.stay}/vitals?signal=spo2",
                    lambda found, ward=ward: len(found["signals"]["spo2"]["value"]) == ward.device.sent,
                )
