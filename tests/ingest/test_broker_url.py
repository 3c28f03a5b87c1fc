"""The broker's URL, and that its password stays secret."""

import pytest

from ward.ingest.broker_url import BrokerUrl


def test_plain():
    url = BrokerUrl.parse("mqtt://127.0.0.1:1884")
    assert (url.host, url.port, url.tls, url.user, url.password, url.protocol) == (
        "127.0.0.1",
        1884,
        False,
        None,
        None,
        "auto",
    )


def test_default_ports():
    assert BrokerUrl.parse("mqtt://broker").port == 1883
    assert BrokerUrl.parse("mqtts://broker").port == 8883


def test_user_and_password_may_hold_any_character_and_are_never_shown():
    url = BrokerUrl.parse("mqtts://w%40rd:s%3Acr%2Fet@broker:8884?protocol=5")
    assert (url.user, url.password, url.tls, url.protocol) == ("w@rd", "s:cr/et", True, "5")
    assert "s:cr/et" not in f"{url!r} {url}"
    assert str(url) == "mqtts://broker:8884"


def test_ipv6():
    assert BrokerUrl.parse("mqtt://[::1]:1883").host == "::1"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:1883",
        "http://broker",
        "mqtt://",
        "mqtt://broker:0",
        "mqtt://broker:port",
        "mqtt://broker:70000",
        "mqtt://broker/path",
        "mqtt://u:secret@broker?protocol=4",
        "mqtt://broker?x=1",
        "mqtt://[::1",
    ],
)
def test_what_is_not_a_broker_is_refused_without_repeating_it(url):
    with pytest.raises(ValueError, match="mqtt://host:1883") as refused:
        BrokerUrl.parse(url)
    assert "secret" not in str(refused.value)
