"""Apprise against a real mail server and a real HTTP server."""

from __future__ import annotations

import logging
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.notify.office import Post
from tests.notify.test_webhook import message
from ward.notify.apprise import AppriseChannel
from ward.notify.channels import Failed, Refused


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a client needs; ``server.refuse`` answers the recipient with 550."""

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split(" ")[0].upper()
            if verb == "DATA":
                self.say("354 go on")
                body = b""
                while (row := self.rfile.readline()) != b".\r\n":
                    body += row
                self.server.mails.append(body.decode())  # type: ignore[attr-defined]
                self.say("250 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            elif verb == "RCPT" and self.server.refuse:  # type: ignore[attr-defined]
                self.say("550 no such person")
            else:
                self.server.said.append(line)  # type: ignore[attr-defined]
                self.say("250 yes")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def mail() -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        server.daemon_threads = True
        server.mails, server.said, server.refuse = [], [], False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def test_a_mail_arrives(mail: Any):
    port = mail.server_address[1]
    channel = AppriseChannel(f"mailto://127.0.0.1:{port}?mode=insecure&from=ward@ward.example&to={{address}}")
    channel.check()
    channel.send(message(address="ada@ward.example"))
    assert any("ada@ward.example" in line for line in mail.said)
    assert "Ward 6A, bed 12: high alert" in mail.mails[0]
    mail.refuse = True
    with pytest.raises(Failed):
        channel.send(message(address="nobody@ward.example"))


def test_a_service_that_answers_no_is_named_without_its_url(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with Post().open() as post:
        post.answers = [500]
        channel = AppriseChannel(post.url.replace("http://", "json://user:secret@"))
        with pytest.raises(Failed, match="answered 500"):
            channel.send(message())
        channel.send(message())
        assert len(post.heard) == 2
    assert "secret" not in caplog.text


def test_an_address_goes_where_it_belongs_and_nowhere_else():
    with Post().open() as post:
        channel = AppriseChannel(post.url.replace("http://", "json://") + "/{address}")
        channel.check()
        channel.send(message(address="../../x?to=evil#@evil.example"))
        for bad in (None, "", "a b", "a,b", "a;b", "a\nb"):
            with pytest.raises(Refused):
                channel.send(message(address=bad))
        assert len(post.heard) == 1


@pytest.mark.parametrize(
    "url",
    ["json://{address}/x", "json://user:secret@{address}", "{address}://x", "nosuch://secret@host", "secret"],
)
def test_a_url_that_cannot_be_used_is_refused_without_telling_it(url: str):
    with pytest.raises(ValueError, match=r"in the name of the host|not a URL") as found:
        AppriseChannel(url).check()
    assert "secret" not in str(found.value)
