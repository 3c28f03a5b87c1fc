"""For every test: hypothesis judges the code, not how busy the machine is."""

from hypothesis import HealthCheck, settings

settings.register_profile("ward", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ward")
