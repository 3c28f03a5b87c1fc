"""The channels file: what it says is made; what is wrong is told with its place, and without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from ward.notify.config import ChannelsFileError, Parts, load_channels

GOOD = """
[dashboard]
give_up = "20s"

[channels.pager]
kind = "webhook"
url = "https://pager.example/hook"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
next_secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
give_up = "2m"
parallel = 8

[channels.lamp]
kind = "mqtt"

[channels.sms]
kind = "apprise"
url = "json://user:password@127.0.0.1/{address}"
test_to = "4711"
detail = "bed"
"""


def file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "channels.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_file_with_every_kind(tmp_path: Path):
    found = load_channels(file(tmp_path, GOOD), Parts())
    assert {name: (c.kind, c.give_up, c.parallel, c.detail) for name, c in found.items()} == {
        "dashboard": ("dashboard", 20_000, 4, "bed"),
        "pager": ("webhook", 120_000, 8, "none"),
        "lamp": ("mqtt", None, 4, "bed"),
        "sms": ("apprise", None, 4, "bed"),
    }
    assert found["sms"].test_to == "4711"
    assert "whsec" not in repr(found)
    assert "password" not in repr(found)
    for channel in found.values():
        channel.channel.close()


def test_without_a_file_there_is_the_dashboard():
    assert list(load_channels(None, Parts())) == ["dashboard"]


WEBHOOK = """
[channels.x]
kind = "webhook"
url = "https://h/SECRET"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = SECRET", "not TOML (at line 1"),
        ("[chanels]\n", "chanels is not known; allowed: channels, dashboard"),
        ("[dashboard]\ngive_up = 30\n", "[dashboard] give_up is not text"),
        ('[dashboard]\ngive_up = "1s"\n', "is not between 5 s and 3600 s"),
        ('[dashboard]\ngive_up = "SECRET"\n', "is not a duration"),
        ("channels = 3\n", "channels is not a table"),
        ("[channels]\nx = 3\n", "channels.x is not a table"),
        ("[channels.x]\n", "[channels.x] kind is not one of: webhook, mqtt, apprise"),
        ('[channels.dashboard]\nkind = "mqtt"\n', "is no name for a channel"),
        ('[channels.vitals]\nkind = "mqtt"\n', "is no name for a channel"),
        ('[channels."A B"]\nkind = "mqtt"\n', "is no name for a channel"),
        ('[channels.x]\nkind = "mqtt"\nurl = "SECRET"\n', "[channels.x] url is not known; allowed: detail"),
        ('[channels.x]\nkind = "mqtt"\ndetail = "name"\n', "detail is not one of: bed, none"),
        ('[channels.x]\nkind = "mqtt"\nparallel = 0\n', "parallel is not between 1 and 16"),
        ('[channels.x]\nkind = "mqtt"\nparallel = true\n', "parallel is not a whole number"),
        ('[channels.x]\nkind = "webhook"\n', "[channels.x] url is missing"),
        ('[channels.x]\nkind = "webhook"\nurl = "http://h/SECRET"\n', "url is not encrypted"),
        ('[channels.x]\nkind = "webhook"\nurl = "https://h/SECRET"\n', "secret is missing"),
        ('[channels.x]\nkind = "webhook"\nurl = "https://h"\nsecret = "SECRET"\n', "secret does not begin"),
        (WEBHOOK + 'next_secret = "whsec_SECRET!"\n', "next_secret is not base64"),
        (WEBHOOK + 'ca_file = "/SECRET"\n', "ca_file is not a file of certificates"),
        (WEBHOOK + 'proxy = "SECRET"\n', "proxy cannot be used"),
        ('[channels.x]\nkind = "apprise"\nurl = "json://SECRET@{address}"\n', "in the name of the host"),
        ('[channels.x]\nkind = "apprise"\nurl = "SECRET://x"\n', "is not a URL that Apprise understands"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_without_what_was_given(
    tmp_path: Path, text: str, told: str
):
    path = file(tmp_path, text)
    with pytest.raises(ChannelsFileError) as found:
        load_channels(path, Parts())
    assert str(found.value).startswith(f"{path}: ")
    assert told in str(found.value)
    assert "SECRET" not in str(found.value).removeprefix(str(path))
    assert found.value.__cause__ is None


def test_a_file_that_others_may_read_is_refused(tmp_path: Path):
    with pytest.raises(ChannelsFileError, match="chmod 600"):
        load_channels(file(tmp_path, GOOD, 0o640), Parts())


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path):
    with pytest.raises(ChannelsFileError, match="cannot be read"):
        load_channels(tmp_path / "none.toml", Parts())
    path = file(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ChannelsFileError, match="not UTF-8"):
        load_channels(path, Parts())
