"""One file a resource. Each has a ``router``; ``ward.web.app`` puts them together."""
