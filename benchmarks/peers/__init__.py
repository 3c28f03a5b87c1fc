"""What one would use instead of ward, each configured as its own documentation would have it."""
