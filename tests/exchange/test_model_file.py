"""What a frozen model says of itself is read without TensorFlow."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden" / "frozen" / "format_1.pb.gz"
READ = """
import sys
from deeptf.exchange.model_file import read_model

model = read_model(sys.argv[1])
assert model.metadata["type_map"] == ["A", "B"]
assert model.arrays["descriptor/mean"].shape == (2, 4)
assert len(model.digest) == 32
assert not {"tensorflow", "google.protobuf"} & set(sys.modules)
"""


def test_a_model_is_read_without_tensorflow(tmp_path: Path) -> None:
    path = tmp_path / "model.pb"
    path.write_bytes(gzip.decompress(GOLDEN.read_bytes()))
    run = subprocess.run(
        [sys.executable, "-c", READ, str(path)], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
