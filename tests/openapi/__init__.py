"""The whole OpenAPI document against a real service: requests that fit it, that do not, and that follow
from one another, by each role. ``python -m tests.openapi`` (``make schema-fuzz``) is the long form."""
