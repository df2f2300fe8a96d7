"""A few damaged models of each kind (mutations.py makes more of them)."""

import pytest
from exchange.deepmd_models import SMALL
from mutations import MUTATIONS, mutate, outcome


@pytest.mark.parametrize("seed", range(len(MUTATIONS) + 3))
def test_a_damaged_model_is_refused_or_equal(seed, tmp_path):
    path = tmp_path / "damaged.pb"
    mutate(SMALL, seed, path)
    assert outcome(path)
