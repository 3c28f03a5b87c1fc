#!/bin/sh
# Becomes the broker's keeper: ward writes passwords and ACL (WARD_MQTT_FILES_DIR), this gives them to
# Mosquitto, now and whenever they change. Until ward has written them, ward alone can log in.
set -eu
from=${WARD_FILES:-/mosquitto/ward}
to=${MOSQUITTO_DATA:-/mosquitto/data}
config=${MOSQUITTO_CONFIG:-/mosquitto/config}
every=${WARD_EVERY:-2}

take() { # A file of ward's in place of Mosquitto's, whole; says whether it had changed.
  [ -s "$from/$1" ] || return 1
  cmp -s "$from/$1" "$to/$1" && return 1
  cp "$from/$1" "$to/.$1"
  give "$to/.$1"
  mv "$to/.$1" "$to/$1"
}

give() {
  chmod 0600 "$1"
  [ "$(id -u)" != 0 ] || chown mosquitto "$1"
}

if ! [ -s "$to/passwords" ]; then
  touch "$to/passwords"
  chmod 0600 "$to/passwords"
  mosquitto_passwd -b "$to/passwords" "$WARD_USER" "$WARD_PASSWORD"
  give "$to/passwords"
fi
if ! [ -s "$to/acl" ]; then
  cp "$config/acl" "$to/acl"
  give "$to/acl"
fi
[ "$(id -u)" != 0 ] || chown mosquitto "$to"
take passwords || true
take acl || true

mosquitto -c "$config/mosquitto.conf" &
broker=$!
trap 'kill "$broker" 2>/dev/null || true' TERM INT
while kill -0 "$broker" 2>/dev/null; do
  sleep "$every" &
  wait $! || true
  changed=
  if take acl; then changed=1; fi
  if take passwords; then changed=1; fi
  [ -z "$changed" ] || kill -HUP "$broker"
done
wait "$broker"
