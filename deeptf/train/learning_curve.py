"""`lcurve.out`: the errors of a run as a table, a row each time they are measured.

Columns: step, then the root of the loss and the RMSE of energy per atom (eV), force (eV/A) and
virial per atom (eV) on validation and training batches, then the learning rate. A column without
labels is nan. The second line tells whose table it is; it is as wide as a row, for readers that
count words. A table belongs to one run: what another run left under the name is kept under another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deeptf.files import naming, replacing
from deeptf.properties import Property

SUFFIX = {"validation": "val", "training": "trn"}


def column_names(rows: Sequence[Property]) -> list[str]:
    """Return the names of the columns of the loss and the errors of properties."""
    return ["rmse", *(f"rmse_{row.key}" for row in rows)]


def curve_columns(quantities: Sequence[str], sets: Sequence[str]) -> list[str]:
    """Return the names of all columns: those of each quantity for each set of data side by side."""
    return ["step", *(f"{name}_{SUFFIX[data]}" for name in quantities for data in sets), "lr"]


class LearningCurve:
    """Appends rows to the file.

    columns : names from `step` to `lr`.
    run : identity of the run.
    restart : step from which the run goes on, and the identity that its rows have (None: none, as
        older versions wrote them). Rows up to there are kept, with nan in columns that they did
        not have.

    `notes` says what became of other things at the place of the file.
    """

    def __init__(
        self,
        path: str | Path,
        columns: Sequence[str],
        run: str,
        restart: tuple[int, str | None] | None = None,
    ) -> None:
        self._path, self._columns = Path(path), list(columns)
        self.notes: list[str] = []
        rows = self._kept(restart)
        header = "# " + " ".join(f"{name:>12}" for name in self._columns)
        owner = "# " + " ".join(["run", run, *("-" for _ in self._columns[2:])])
        with replacing(self._path, "w") as stream:
            stream.write("\n".join([header, owner, *rows]) + "\n")

    def write(self, step: int, values: Sequence[float], rate: float) -> None:
        """Append one row; OSError that names the file where the disk is full."""
        with naming(self._path), open(self._path, "a") as stream:
            stream.write(_row(step, [*values, rate]) + "\n")

    def _kept(self, restart: tuple[int, str | None] | None) -> list[str]:
        """Return the rows of the run in the file.

        The file gets another name where it holds anything else that would be lost.
        """
        if not self._path.exists():
            return []
        if self._path.is_dir():
            raise ValueError(f"`disp_file` must be a file, got the folder {self._path}")
        old = _read(self._path)
        if restart is None or old is None or old.run != restart[1]:
            self._set_aside("of another run" if old else "no table of a run")
            return []
        lost = [name for name in old.columns if name not in self._columns]
        if lost:
            self._set_aside(f"which has {' '.join(lost)} too")
        elif old.damaged:
            self._set_aside(f"of which {old.damaged} lines are damaged and left out")
        place = [old.columns.index(n) if n in old.columns else None for n in self._columns[1:]]
        return [
            _row(int(row[0]), [float("nan") if k is None else row[k] for k in place])
            for row in old.rows
            if row[0] <= restart[0]
        ]

    def _set_aside(self, why: str) -> None:
        number = 1
        while (aside := self._path.with_name(f"{self._path.name}.{number}")).exists():
            number += 1
        self._path.rename(aside)
        self.notes.append(f"{self._path}, {why}, is kept as {aside}")


class _Table:
    """What a file holds: columns, the run that wrote it (None: it does not tell) and rows."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.columns = lines[0].removeprefix("#").split()
        self.run: str | None = None
        self.rows: list[list[float]] = []
        self.damaged = 0
        for line in lines[1:]:
            words = line.split()
            if words[:2] == ["#", "run"]:
                self.run = words[2] if len(words) > 2 else None
            elif words and words[0] != "#":
                self._add(words)

    def _add(self, words: Sequence[str]) -> None:
        try:
            row = [float(word) for word in words]
            fits = len(row) == len(self.columns) and row[0] == int(row[0])
        except (ValueError, OverflowError):
            fits = False
        if fits:
            self.rows.append(row)
        else:
            self.damaged += 1


def _read(path: Path) -> _Table | None:
    """Return the table, or None where the file is none."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    if not lines or lines[0].split()[:2] != ["#", "step"]:
        return None
    return _Table(lines)


def _row(step: int, values: Sequence[float]) -> str:
    return f"{step:14d} " + " ".join(f"{value:12.4e}" for value in values)
