"""Nothing acknowledged is lost and nothing counts twice, though the service is killed in mid-stream."""

import subprocess
import sys

import pytest

from tests.brokers import broker_port, publish, until  # noqa: F401
from ward.ingest.assignments import Assigned, StayInfo
from ward.ingest.journal import SqlJournal
from ward.ingest.router import Router
from ward.store.database import migrate, open_database

SERVICE = """
import sys
from ward.clock import wall_ms
from ward.ingest.journal import SqlJournal
from ward.ingest.mqtt import MqttLink
from ward.ingest.payload import decode_vitals
from ward.store.database import open_database

url, database, ward = sys.argv[1:]
journal = SqlJournal(open_database(database))
with MqttLink(url, now=wall_ms, client_id=ward, topics=[f"ward/v1/{ward}/+/vitals"]) as link:
    while True:
        messages = link.intake.drain(20, timeout=1)
        entries = [s for m in messages for s in decode_vitals(m.topic, m.payload, m.received)[0]]
        journal.append(entries)
        link.ack(messages)
        print(len(entries), link.stats().connected, flush=True)
"""


@pytest.fixture
def service(broker_port, tmp_path):  # noqa: F811
    """Starts the way from the broker to the journal in a process of its own."""
    url = f"sqlite:///{tmp_path}/ward.sqlite"
    migrate(open_database(url))
    running = []

    def start():
        command = [sys.executable, "-c", SERVICE, f"mqtt://127.0.0.1:{broker_port}", url, tmp_path.name]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        while "True" not in (line := process.stdout.readline()):
            assert line, "the service ended"
        return process

    start.url = url
    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_kill_9_loses_nothing(service, broker_port, tmp_path):  # noqa: F811
    topic = f"ward/v1/{tmp_path.name}/mon/vitals"
    journal = SqlJournal(open_database(service.url))

    def send(first, last):
        publish(
            broker_port, *((topic, b'{"seq": %d, "readings": {"hr": 80}}' % n) for n in range(first, last))
        )

    def entries():
        return [entry for _, batch in journal.read(0, 100_000) for entry in batch]

    for round_ in range(3):
        process = service()
        send(300 * round_, 300 * round_ + 300)
        until(lambda before=round_: len(entries()) > 300 * before + 20)
        process.kill()
        process.wait(10)
    service()
    until(lambda: len({e.seq for e in entries()}) == 900)

    ward = tmp_path.name
    router = Router([StayInfo("anna", ward, "1", devices=(Assigned("mon", 0),))])
    seqs = router.apply(entries()).rows.readings.seq.tolist()
    assert sorted(seqs) == list(range(900))
