"""Names of the two doors of a model, see inputs.py: what a caller may give it."""

COORDINATES, PAIRS = "coordinates", "pairs"
