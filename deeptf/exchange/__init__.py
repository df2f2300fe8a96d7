"""Model files: those of deeptf, and those of other programs."""
