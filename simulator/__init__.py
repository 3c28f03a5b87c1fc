"""A simulated ward: patients with coherent physiology, devices with faults, an MQTT publisher."""
