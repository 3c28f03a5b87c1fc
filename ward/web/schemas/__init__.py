"""The shapes of the API: what is accepted (checked) and what is answered (described)."""
