"""`deeptf compress`: what the command line takes and prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from exchange.full_model import write_full
from small_run import changed_input, write_system

from deeptf.__main__ import main
from deeptf.commands.compress import WITHOUT_EFFECT
from deeptf.exchange import compress as module
from deeptf.exchange.model_file import read_model


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """Return what models were asked for; none are made."""
    asked: list[tuple] = []
    monkeypatch.setattr(module, "compress", lambda *given: asked.append(given) or ["done"])
    return asked


def test_the_usual_names(asked: list[tuple], capsys: pytest.CaptureFixture) -> None:
    assert main(["compress"]) == 0
    expected = "frozen_model.pb", "frozen_model_compressed.pb", None, None, module.Data((), ())
    assert asked == [expected]
    assert capsys.readouterr().out == "done\n"


@pytest.mark.parametrize("long", [True, False])
@pytest.mark.parametrize(
    ("name", "value"),
    [("step", 0.01), ("extrapolate", 5.0), ("frequency", -1), ("checkpoint-folder", "folder")],
)
def test_options_of_deepmd_kit(
    long: bool,
    name: str,
    value: object,
    asked: list[tuple],
    capsys: pytest.CaptureFixture,
) -> None:
    short, _, reason = WITHOUT_EFFECT[name]
    assert main(["compress", f"--{name}" if long else short, str(value)]) == 0
    expected = f"note: --{name} {value}: accepted without effect, {reason}\ndone\n"
    assert capsys.readouterr().out == expected
    assert len(asked) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--precision", "half"],
        ["--tolerance", "small"],
        ["-s", "small"],
        ["-f", "1.5"],
        ["--threads", "0"],
    ],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["compress", *arguments])
    assert stop.value.code == 2
    assert "usage: deeptf compress" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-i", "none.pb"], "none.pb: no such file"),
        (["--tolerance", "0"], "`tolerance` must be positive (1/A), got 0.0"),
        (["--system", "none"], "'none': no such folder or file"),
        (["-t", "none.json"], "input file none.json must be readable"),
    ],
)
def test_errors(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compress", *arguments]) == 1
    found = capsys.readouterr().err
    assert found.startswith("deeptf compress: error: ") and message in found
    assert not list(tmp_path.iterdir())


def test_a_model_and_its_differences(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two systems, one of them the training data, and both far from where the data end."""
    monkeypatch.chdir(tmp_path)
    write_full(tmp_path / "full.pb")
    for name in ("data", "others"):
        write_system(tmp_path / name, seed=len(name))
    script = changed_input({"training/training_data/systems": ["data"]})
    Path("input.json").write_text(json.dumps(script))
    options = ["-t", "input.json", "--system", ".", "--precision", "float32", "--tolerance", "1e-4"]
    assert main(["compress", "-i", "full.pb", "-o", "new.pb", *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("full.pb -> new.pb: ") and " MB, was " in lines[0]
    assert "largest error in the range of the data: G " in lines[2]
    assert lines[4] == "differences from full.pb, 12 frames of 2 systems"
    table = {line[:20].strip(): line[20:].split() for line in lines[6:9]}
    assert list(table) == ["energy per atom", "force", "virial per atom"]
    assert 0 < float(table["force"][1]) < float(table["force"][0]) < 1e-4
    assert table["energy per atom"][2] == "eV/atom" and table["force"][2] == "eV/A"
    assert lines[9:] == ["no pair of atoms is closer than where the data of the model end"]
    assert read_model("new.pb").tabulated
