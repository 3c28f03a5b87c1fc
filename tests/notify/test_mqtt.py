"""The broker as a channel, with a real Mosquitto."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.brokers import client_at, mosquitto_at, subscribe, until
from tests.notify.office import START
from tests.notify.test_webhook import message
from tests.ports import free_port
from ward.ingest.mqtt import MqttLink
from ward.notify.channels import Failed, Refused
from ward.notify.mqtt import MqttChannel


def test_who_subscribes_is_told_and_nobody_later():
    heard: list[Any] = []
    port = free_port()
    link = MqttLink(f"mqtt://127.0.0.1:{port}", now=lambda: START, client_id="ward")
    channel = MqttChannel("lamp", link.publish)
    with pytest.raises(Failed, match="the broker did not take it"):
        channel.send(message())  # there is none yet
    with mosquitto_at(port, "allow_anonymous true"), client_at(port) as lamp:
        lamp.on_message = lambda *args: heard.append(args[2])
        subscribe(lamp, "ward/v1/+/notify/#")
        link.start()
        until(lambda: link.stats().connected)
        channel.send(message())
        until(lambda: heard)
        assert (heard[0].topic, heard[0].retain, heard[0].qos) == ("ward/v1/6A/notify/lamp", False, 1)
        assert json.loads(heard[0].payload) == message().as_json()
        with pytest.raises(Refused):
            channel.send(message(ward=""))
        link.stop()
