"""The link to a real broker: nothing acknowledged too early, nothing lost, nothing stops it."""

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import threading

import pytest

from tests.brokers import broker_port, client_at, mosquitto_at, publish, subscribe, until  # noqa: F401
from tests.faults.proxy import Proxy
from tests.ports import free_port
from ward.ingest import connection, mqtt
from ward.ingest.broker import BrokerError, EmbeddedBroker
from ward.ingest.intake import Intake
from ward.ingest.mqtt import MqttLink

names = itertools.count()


@pytest.fixture
def ward():
    """A ward of its own for each test: brokers live longer."""
    return f"w{os.getpid()}-{next(names)}"


@pytest.fixture
def link_of(broker_port, ward):  # noqa: F811
    """Makes links of one client id, all ended with the test."""
    links = []

    def make(**options):
        topics = [f"ward/v1/{ward}/+/vitals", f"ward/v1/{ward}/+/status"]
        options = {"now": lambda: 1, "client_id": f"core-{ward}", "topics": topics, **options}
        link = MqttLink(f"mqtt://127.0.0.1:{broker_port}", **options)
        links.append(link)
        link.start()
        until(lambda: link.stats().connected)
        return link

    yield make
    for link in links:
        link.stop()


def take(link, count, ack=True):
    """Exactly so many messages, in order."""
    got = []

    def enough():
        got.extend(link.intake.drain(count - len(got), timeout=0.1))
        return len(got) >= count

    until(enough)
    if ack:
        link.ack(got)
    return got


def vitals(ward, n, device="mon"):
    return f"ward/v1/{ward}/{device}/vitals", b'{"seq": %d, "readings": {"hr": 80}}' % n


def payloads(messages):
    return [m.payload for m in messages]


def test_messages_come_with_their_received_time(link_of, broker_port, ward):  # noqa: F811
    link = link_of(now=lambda: 12345)
    publish(broker_port, vitals(ward, 1))
    (message,) = take(link, 1)
    assert (message.topic, message.payload) == vitals(ward, 1)
    assert (message.received, message.qos, message.retain) == (12345, 1, False)
    stats = link.stats()
    assert stats.received == 1
    assert 0 <= stats.last_message_age_s < 60


def test_what_was_not_acknowledged_comes_again_after_the_service_died(link_of, broker_port, ward):  # noqa: F811
    link = link_of()
    publish(broker_port, *(vitals(ward, n) for n in range(6)))
    got = take(link, 6, ack=False)
    link.ack(got[:4])
    link.stop()
    publish(broker_port, vitals(ward, 6))  # while nobody is there
    again = take(link_of(), 3)
    assert payloads(again) == [vitals(ward, n)[1] for n in (4, 5, 6)]


def test_an_acknowledgement_never_reaches_another_connection(link_of, broker_port, ward):  # noqa: F811
    link = link_of()
    publish(broker_port, vitals(ward, 1))
    (old,) = take(link, 1, ack=False)
    with client_at(broker_port, f"core-{ward}", clean_session=False, manual_ack=True):
        until(lambda: link.stats().last_error is not None)
    until(lambda: link.stats().connected and link.stats().connections >= 2)
    (new,) = take(link, 1, ack=False)
    assert new.payload == old.payload
    link.ack([old])  # of a connection that is gone
    assert link.publish(f"ward/v1/{ward}/alerts", b"later than any acknowledgement")
    link.stop()
    assert payloads(take(link_of(), 1)) == [old.payload]


def test_birth_is_retained_and_the_will_comes_when_the_device_dies(link_of, broker_port, ward):  # noqa: F811
    topic = f"ward/v1/{ward}/mon/status"
    with client_at(broker_port, will=(topic, b'{"state": "offline", "session": "s"}')) as device:
        device.publish(topic, b'{"state": "online", "session": "s"}', qos=1, retain=True).wait_for_publish(9)
        link = link_of()
        (birth,) = take(link, 1)
        assert birth.retain
        assert b"online" in birth.payload
        device.socket().shutdown(socket.SHUT_RDWR)
        (will,) = take(link, 1)
        assert b"offline" in will.payload
        assert not will.retain


def test_a_mebibyte_passes(link_of, broker_port, ward):  # noqa: F811
    link = link_of()
    topic = f"ward/v1/{ward}/gateway/vitals"
    publish(broker_port, (topic, b"x" * (1 << 20)), (topic, b"y" * ((1 << 20) + 9)))
    assert [len(m.payload) for m in take(link, 2)] == [1 << 20, (1 << 20) + 9]


def test_a_full_queue_makes_the_broker_wait_and_loses_nothing(link_of, broker_port, ward):  # noqa: F811
    link = link_of(intake=Intake(max_messages=10))
    publish(broker_port, *(vitals(ward, n) for n in range(300)))
    until(lambda: link.intake.is_full and link.stats().blocked_s > 0)
    assert len(link.intake) == 10
    got = []
    while len(got) < 300:
        got += take(link, min(7, 300 - len(got)))
    assert payloads(got) == [vitals(ward, n)[1] for n in range(300)]
    assert link.stats().connections == 1


def test_a_connection_lost_while_the_queue_is_full_costs_nothing(link_of, broker_port, ward):  # noqa: F811
    link = link_of(intake=Intake(max_messages=10))
    publish(broker_port, *(vitals(ward, n) for n in range(50)))
    until(lambda: link.intake.is_full)
    with client_at(broker_port, f"core-{ward}", clean_session=False, manual_ack=True):
        pass  # took the session over; a link that does not read may notice only later
    got = []

    def all_came():
        messages = link.intake.drain(7, timeout=0.1)
        link.ack(messages)
        got.extend(payloads(messages))
        return len(set(got)) == 50

    until(all_came)


def test_an_exception_while_reading_costs_no_message(link_of, broker_port, ward):  # noqa: F811
    times = itertools.chain([1, ZeroDivisionError], itertools.repeat(3))

    def now():
        time = next(times)
        if isinstance(time, int):
            return time
        raise time

    link = link_of(now=now)
    publish(broker_port, *(vitals(ward, n) for n in range(3)))
    got = take(link, 3)
    assert payloads(got) == [vitals(ward, n)[1] for n in range(3)]
    assert {m.received for m in got} <= {1, 3}
    assert link.stats().connected


def test_publishing_tells_whether_the_broker_has_it(link_of, broker_port, ward):  # noqa: F811
    got = []
    link = link_of()
    with client_at(broker_port) as client:
        client.on_message = lambda *args: got.append(args[2].payload)
        subscribe(client, f"ward/v1/{ward}/alerts")
        assert link.publish(f"ward/v1/{ward}/alerts", b"one")
        until(lambda: got)
    assert got == [b"one"]
    link.stop()
    assert not link.publish(f"ward/v1/{ward}/alerts", b"two")


def test_who_only_speaks_leaves_no_session(link_of, broker_port, ward):  # noqa: F811
    got = []
    link_of().stop()
    with client_at(broker_port) as client:
        client.on_message = lambda *args: got.append(args[2].payload)
        subscribe(client, f"ward/v1/{ward}/notify/lamp")
        link = link_of(topics=())
        assert link.publish(f"ward/v1/{ward}/notify/lamp", b"one")
        until(lambda: got)
    link.stop()
    publish(broker_port, vitals(ward, 1))  # for nobody: that of the first link ended with the second
    again = link_of()
    publish(broker_port, vitals(ward, 2))
    assert payloads(take(again, 1)) == [vitals(ward, 2)[1]]


def test_a_broker_slower_than_the_publisher_s_patience_gets_each_message_once(broker_port, ward):  # noqa: F811
    got = []
    proxy = Proxy(broker_port)
    url = f"mqtt://127.0.0.1:{proxy.port}"
    with client_at(broker_port) as client, MqttLink(url, now=lambda: 0, client_id=ward) as link:
        client.on_message = lambda *args: got.append(args[2].payload)
        subscribe(client, f"ward/v1/{ward}/alerts")
        until(lambda: link.stats().connected)
        proxy.delay_s = 0.3
        assert not link.publish(f"ward/v1/{ward}/alerts", b"one", timeout_s=0.1)
        until(lambda: link.publish(f"ward/v1/{ward}/alerts", b"one", timeout_s=0.1))
        assert link.publish(f"ward/v1/{ward}/alerts", b"two", timeout_s=5)
        until(lambda: b"two" in got)
    proxy.close()
    assert got == [b"one", b"two"]


def test_the_protocol_is_found_out(link_of, broker_port, request):  # noqa: F811
    is_embedded = "embedded" in request.node.name
    assert link_of().stats().protocol == ("3.1.1" if is_embedded else "5")


def test_a_broker_that_comes_late_and_one_that_comes_back(ward):
    port = free_port()
    with MqttLink(f"mqtt://127.0.0.1:{port}?protocol=3.1.1", now=lambda: 1, client_id=ward) as link:
        until(lambda: link.stats().last_error is not None)
        assert not link.stats().connected
        for n in range(2):
            with EmbeddedBroker(port):
                until(lambda: link.stats().connected)
                publish(port, vitals(ward, n))
                assert payloads(take(link, 1)) == [vitals(ward, n)[1]]
            until(lambda: not link.stats().connected)


def answering(*answers):
    """A server on a free port that answers whatever it gets with these bytes, connection by connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                peer, _ = server.accept()
                with peer, contextlib.suppress(OSError):
                    for answer in answers:
                        peer.recv(4096)
                        peer.sendall(answer)
                    while peer.recv(4096):
                        pass

    threading.Thread(target=serve, daemon=True).start()
    return server


CONNACK = b"\x20\x02\x00\x00"


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (
            [CONNACK, b"\x90\x04\x00\x01\x80\x01"],
            "refused to let us read ward/v1/+/+/vitals: its ACL for this user",
        ),
        ([b"\x20\x02\x00\x05"], "refused: Not authorized; WARD_MQTT_URL has the user and the password"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], None),
        ([CONNACK, b"\xff" * 100], None),
        ([CONNACK, b"\x30\x05\x00\xff"], None),
        ([CONNACK], "the broker did not answer in time"),
        ([], "the broker did not answer in time"),
    ],
)
def test_a_broker_that_refuses_or_talks_nonsense_is_tried_again(answers, error, monkeypatch):
    monkeypatch.setattr(connection, "HANDSHAKE_S", 0.3)
    monkeypatch.setattr(mqtt, "FIRST_WAIT_S", 0.01)
    with answering(*answers) as server:
        port = server.getsockname()[1]
        with MqttLink(f"mqtt://u:secret@127.0.0.1:{port}?protocol=3.1.1", now=lambda: 1) as link:
            until(lambda: link.stats().last_error is not None)
            assert not link.stats().connected
            assert link._thread.is_alive()
            if error:
                assert error in link.stats().last_error
        assert not link._thread.is_alive()
        server.shutdown(socket.SHUT_RDWR)


def test_a_wrong_password_is_told_and_never_logged(capsys):
    users = {"users": "ward:$7$101$c2FsdHNhbHRzYWx0$" + "A" * 86 + "==\n"}
    settings = ["allow_anonymous false", "password_file {folder}/users"]
    with (
        mosquitto_at(free_port(), *settings, files=users) as port,
        MqttLink(f"mqtt://ward:secret@127.0.0.1:{port}?protocol=5", now=lambda: 1) as link,
    ):
        until(lambda: link.stats().last_error is not None)
        assert "Not authorized" in link.stats().last_error
    written = capsys.readouterr()
    assert "Not authorized" in written.out + written.err
    assert "secret" not in written.out + written.err


# Where the handshake fails paho leaves the socket to the garbage collector, which complains.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls_with_a_ca_of_one_s_own(tmp_path, ward):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl: apt-get install openssl")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    name = ["-subj", "/CN=ward", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    files = {"key.pem": key.read_text(), "cert.pem": cert.read_text()}
    settings = ["allow_anonymous true", "certfile {folder}/cert.pem", "keyfile {folder}/key.pem"]
    with mosquitto_at(free_port(), *settings, files=files) as port:
        with MqttLink(f"mqtts://127.0.0.1:{port}", now=lambda: 1, client_id=ward) as stranger:
            until(lambda: stranger.stats().last_error is not None)
            assert "not to be trusted: self-signed" in stranger.stats().last_error
        own = [f"ward/v1/{ward}/alerts"]
        options = {"now": lambda: 1, "client_id": ward, "topics": own, "ca_file": str(cert)}
        with MqttLink(f"mqtts://127.0.0.1:{port}", **options) as link:
            until(lambda: link.stats().connected)
            assert link.publish(own[0], b"x" * 300_000)
            assert len(take(link, 1)[0].payload) == 300_000


def test_a_taken_port_is_said_plainly():
    port = free_port()
    with EmbeddedBroker(port), pytest.raises(BrokerError, match=f"port {port} .* is taken"):
        EmbeddedBroker(port).start()


def test_our_broker_listens_on_this_machine_only():
    with EmbeddedBroker(free_port()) as broker:
        assert broker.url.startswith("mqtt://127.0.0.1:")
        assert broker.is_running
    assert not broker.is_running


def test_the_next_of_a_cluster_s_brokers_is_taken_when_one_fails(ward):
    topic = f"ward/v1/{ward}/m/vitals"
    with contextlib.ExitStack() as brokers:
        first = brokers.enter_context(EmbeddedBroker(free_port()))
        second = brokers.enter_context(EmbeddedBroker(free_port()))
        also = [("127.0.0.1", free_port()), ("127.0.0.1", second.port)]  # the one between never was there
        link = MqttLink(first.url, now=lambda: 1, client_id=f"core-{ward}", topics=[topic], also=also)
        with link:
            until(lambda: link.stats().connected)
            first.stop()
            until(lambda: link.stats().connections == 2)
            publish(second.port, (topic, b"here"))
            assert [m.payload for m in take(link, 1)] == [b"here"]
            second.stop()
            first.start()
            until(lambda: link.stats().connections == 3)
