"""The descriptors se_atten (DPA-1) and se_atten_v2 of deepmd-kit."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from deeptf.exchange.deepmd import nets, tabulate
from deeptf.exchange.deepmd.kind import BOOL, FLOAT, INT, Arrays, Part
from deeptf.exchange.deepmd.kinds.one_net import OneNetKind, has_gates
from deeptf.exchange.deepmd.names import ATTENTION, COMPRESSED, MIXED, STRIPPED, TYPE_EMBEDDING
from deeptf.model.descriptor.dpa1 import CONCAT, STRIP, SeAtten, SeAttenV2

LINEAR = {"c_query": "query", "c_key": "key", "c_value": "value", "c_out": "output"}


class SeAttenKind(OneNetKind):
    """Places of any type, vectors or gates of types, and attention."""

    types = ("se_atten", "dpa1")
    environment = ("ProdEnvMatAMix",)
    outputs = (FLOAT, FLOAT, FLOAT, INT, INT, BOOL)
    mixed = True
    features = frozenset({MIXED, ATTENTION, COMPRESSED, STRIPPED, TYPE_EMBEDDING})
    ops = tabulate.OPS.union(
        """
        BroadcastTo LessEqual MatrixDiagV3 Mean Prod Rsqrt RsqrtGrad SelectV2 Softmax Sqrt SqrtGrad
        """.split()
    )
    settings_class = SeAtten

    def further(self, part: Part) -> dict[str, Any]:
        """Return the settings of attention and gates."""
        layers = _layers(part)
        found = {
            "attn": part.option("attn", int, 128),
            "attn_layer": layers,
            "attn_dotr": part.option("attn_dotr", bool, True),
            "attn_mask": part.option("attn_mask", bool, False),
            "tebd_input_mode": STRIP if has_gates(part) else CONCAT,
            "smooth_type_embedding": self.smooth(part),
            "ln_eps": part.option("ln_eps", float | None) if "ln_eps" in part.section else None,
        }
        if layers:
            query = f"{_scope(part, 0)}/c_query/matrix"
            found["attn"] = part.graph.array(query).shape[-1]
        return found

    def settings(self, part: Part) -> SeAtten:
        """Return the settings that graph and training input show."""
        own = super().settings(part)
        if own.smooth and own.exclude_types and np.any(part.graph.array(part.attribute("t_avg"))):
            own = replace(own, excluded_have_mean=True)
        part.check_stated(own, "attn_layer", *(["attn"] if own.attn_layer else []))
        return own

    def arrays(self, part: Part, own: SeAtten) -> Arrays:
        """Return statistics, nets and attention layers."""
        arrays = super().arrays(part, own)
        width = own.neuron[-1]
        for layer in range(own.attn_layer):
            scope, name = _scope(part, layer), f"attention_{layer}"
            for source, target in LINEAR.items():
                shape = (own.attn, width) if target == "output" else (width, own.attn)
                place = f"{scope}/{source}/{{kind}}", layer, f"{name}/{target}", shape
                arrays |= nets.layer_arrays(part.graph, *place)
            for source, target in (("gamma", "scale"), ("beta", "shift")):
                norm = _norm(part, scope, source)
                arrays[f"{name}/norm/{target}"] = part.graph.array(norm, (width,))
            _check_ones(part, f"{scope}/eye/ones")
        return arrays

    def smooth(self, part: Part) -> bool:
        """Return whether gates fade out at the cut-off."""
        return part.option("smooth_type_embedding", bool, self.settings_class.smooth_type_embedding)

    def one_side(self, part: Part) -> bool:
        """Return whether the type of the centre does not count; for gates it always does."""
        return not has_gates(part) and super().one_side(part)


class SeAttenV2Kind(SeAttenKind):
    """The same, with gates, smooth."""

    types = ("se_atten_v2",)
    settings_class = SeAttenV2


def _scope(part: Part, layer: int) -> str:
    """Return the scope of an attention layer."""
    return f"attention_layer_{layer}{part.suffix}"


def _check_ones(part: Part, name: str) -> None:
    """Check the diagonal of a matrix that keeps neighbours from themselves, where there is one."""
    if name in part.graph and np.any(part.graph.array(name) != 1.0):
        raise ValueError(f"`{name}` must hold ones, but does not")


def _layers(part: Part) -> int:
    """Return the number of attention layers."""
    layer = 0
    while f"{_scope(part, layer)}/c_query/matrix" in part.graph:
        layer += 1
    return layer


def _norm(part: Part, scope: str, kind: str) -> str:
    """Return the name of an array of the normalisation of a layer; releases differ in its scope."""
    name = re.compile(rf"{scope}/layer_normalization(_\d+)?/{kind}")
    found = [node for node in part.graph.nodes if name.fullmatch(node)]
    return found[0] if found else f"{scope}/layer_normalization/{kind}"
