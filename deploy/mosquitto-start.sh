#!/bin/sh
# Sets the passwords of ward and the gateway, keeps those of other devices, and becomes the broker.
set -eu
passwords=/mosquitto/data/passwords
touch "$passwords"
chmod 0600 "$passwords"
mosquitto_passwd -b "$passwords" ward "$WARD_PASSWORD"
mosquitto_passwd -b "$passwords" gateway "$GATEWAY_PASSWORD"
chown mosquitto "$passwords" /mosquitto/data
exec mosquitto -c /mosquitto/config/mosquitto.conf
