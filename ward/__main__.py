"""``python -m ward``."""

from ward.cli import main

main()
