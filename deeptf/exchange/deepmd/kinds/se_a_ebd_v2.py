"""The descriptor se_a_ebd_v2 of deepmd-kit."""

from __future__ import annotations

from deeptf.exchange.deepmd import tabulate
from deeptf.exchange.deepmd.kinds.one_net import SIDES, OneNetKind
from deeptf.exchange.deepmd.names import COMPRESSED, STRIPPED, TYPE_EMBEDDING
from deeptf.model.descriptor.se_a_ebd_v2 import SeAEbdV2


class SeAEbdV2Kind(OneNetKind):
    """A net of distances and a gate of types; places are of each type."""

    types = ("se_a_ebd_v2", "se_a_tpe_v2")
    environment = ("ProdEnvMatA",)
    features = frozenset({TYPE_EMBEDDING, STRIPPED, COMPRESSED})
    ops = tabulate.OPS
    settings_class = SeAEbdV2
    marks = frozenset(f"filter_type_all/matrix_1{end}" for end in SIDES)
