"""The live driver: journal in, engine and alert book in step with the clock, everything told once."""
