"""What engines and web processes of one cluster say to each other."""
