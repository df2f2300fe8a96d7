"""What the generating scripts of the examples share."""
