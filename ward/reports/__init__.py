"""What alerts were worth, and whether a ward is still what it was: computed now and then, told with care."""
