"""ward: an open alarm system for hospital wards that tells a nurse only when it matters."""

__version__ = "0.1.0"
