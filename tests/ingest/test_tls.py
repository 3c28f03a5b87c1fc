"""TLS to a real Mosquitto: the right certificate connects, every wrong one is told in words."""

from __future__ import annotations

import datetime
import logging
import socket

import pytest
import trustme

from simulator.run import Simulation
from simulator.ward_plan import plan_ward
from tests.brokers import mosquitto_at, until
from tests.ports import free_port
from ward.ingest.mqtt import MqttLink
from ward.ingest.tls import context_of, why

# Where the handshake fails paho leaves the socket to the garbage collector, which complains.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TLS = ["allow_anonymous true", "certfile {folder}/server.pem", "keyfile {folder}/server.key"]
PASSED = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def files_of(authority, *names, **options) -> dict[str, str]:
    cert = authority.issue_cert(*(names or ("127.0.0.1",)), **options)
    chain = b"".join(blob.bytes() for blob in cert.cert_chain_pems)
    return {
        "server.pem": chain.decode(),
        "server.key": cert.private_key_pem.bytes().decode(),
        "clients.pem": authority.cert_pem.bytes().decode(),
    }


def reason_of(url: str, **options) -> str:
    with MqttLink(url, now=lambda: 1, client_id="core", **options) as link:
        until(lambda: link.stats().last_error is not None)
        assert not link.stats().connected
        return str(link.stats().last_error)


def test_the_right_authority_connects(authority, ca_file):
    with (
        mosquitto_at(free_port(), *TLS, files=files_of(authority)) as port,
        MqttLink(f"mqtts://127.0.0.1:{port}", now=lambda: 1, ca_file=ca_file) as link,
    ):
        until(lambda: link.stats().connected)


def test_every_wrong_certificate_is_refused_in_words_and_no_secret_is_told(
    authority, ca_file, capsys, caplog
):
    caplog.set_level(logging.DEBUG)
    stranger = trustme.CA()
    cases = {
        "self-signed certificate in certificate chain|unable to get local issuer": files_of(stranger),
        "certificate has expired": files_of(
            authority, not_after=PASSED, not_before=PASSED.replace(year=2019)
        ),
        "IP address mismatch": files_of(authority, "broker.example"),
    }
    for told, files in cases.items():
        with mosquitto_at(free_port(), *TLS, files=files) as port:
            reason = reason_of(f"mqtts://ward:s3cret@127.0.0.1:{port}", ca_file=ca_file)
        assert "the broker's certificate is not to be trusted" in reason
        assert any(words in reason for words in told.split("|"))
    written = capsys.readouterr()
    assert "not to be trusted" in written.out + written.err + caplog.text
    assert "s3cret" not in written.out + written.err + caplog.text


def test_the_machines_own_authorities_do_not_know_the_hospitals(authority):
    with mosquitto_at(free_port(), *TLS, files=files_of(authority)) as port:
        assert "not to be trusted" in reason_of(f"mqtts://127.0.0.1:{port}")


def test_plain_text_and_tls_do_not_meet(authority, ca_file):
    with mosquitto_at(free_port(), *TLS, files=files_of(authority)) as port:
        assert "does it want TLS?" in reason_of(f"mqtt://127.0.0.1:{port}?protocol=3.1.1")
    with mosquitto_at(free_port(), "allow_anonymous true") as port:
        assert "is this its TLS port?" in reason_of(f"mqtts://127.0.0.1:{port}", ca_file=ca_file)


def test_a_broker_that_asks_for_a_certificate_gets_wards(authority, ca_file, tmp_path):
    own = authority.issue_cert("ward.example")
    own.private_key_pem.write_to_path(tmp_path / "ward.key")
    own.cert_chain_pems[0].write_to_path(tmp_path / "ward.pem")
    shown = {"cert_file": str(tmp_path / "ward.pem"), "key_file": str(tmp_path / "ward.key")}
    settings = [*TLS, "cafile {folder}/clients.pem", "require_certificate true"]
    with mosquitto_at(free_port(), *settings, files=files_of(authority)) as port:
        url = f"mqtts://127.0.0.1:{port}"
        assert reason_of(url, ca_file=ca_file)
        with MqttLink(url, now=lambda: 1, ca_file=ca_file, **shown) as link:
            until(lambda: link.stats().connected)


def test_files_that_cannot_be_used_are_named(tmp_path, ca_file):
    (tmp_path / "bad.pem").write_text("not a certificate")
    with pytest.raises(OSError, match=r"authority .*none\.pem cannot be used: No such file"):
        context_of(str(tmp_path / "none.pem"))
    with pytest.raises(OSError, match=r"authority .*bad\.pem cannot be used"):
        context_of(str(tmp_path / "bad.pem"))
    with pytest.raises(OSError, match=r"certificate .*bad\.pem or its key cannot be used"):
        context_of(ca_file, str(tmp_path / "bad.pem"), str(tmp_path / "bad.pem"))
    reason = reason_of("mqtts://127.0.0.1:1", ca_file=str(tmp_path / "none.pem"))
    assert "none.pem cannot be used" in reason


def test_tls_1_1_is_refused(ca_file):
    assert context_of(ca_file).minimum_version.name == "TLSv1_2"
    assert context_of(ca_file).check_hostname


def test_the_simulator_speaks_tls(authority, ca_file):
    with mosquitto_at(free_port(), *TLS, files=files_of(authority)) as port:
        plan = plan_ward(1, 1, faults=False)
        simulation = Simulation(plan, url=f"mqtts://127.0.0.1:{port}", ca_file=ca_file)
        simulation.start()
        try:
            until(lambda: simulation.progress.connected and simulation.progress.published)
            assert simulation.progress.problem is None
        finally:
            simulation.stop()
        with socket.create_connection(("127.0.0.1", port)):  # the broker is still well
            pass


def test_what_a_network_says_most_often_is_told_in_words():
    assert why(ConnectionRefusedError(111, "Connection refused"), False) == (
        "nothing listens at that address and port"
    )
    assert why(socket.gaierror(-2, "Name or service not known"), True) == ("no machine of that name is known")
    assert why(TimeoutError("no CONNACK within 10 s"), False) == "no CONNACK within 10 s"
