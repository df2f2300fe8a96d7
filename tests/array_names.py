"""Full names of arrays that the tables of a standard model have."""

from deeptf.model import ranges, table

SHORTEST, NODES, RANGE = (
    f"descriptor/{name}" for name in (ranges.SHORTEST, table.NODES, table.RANGE)
)
