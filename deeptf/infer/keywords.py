"""Keywords of DeepPot and of the calculator: what deepmd-kit has beyond them, and what is misspelt.

Scripts written for deepmd-kit may give its keywords. Those that deeptf does not need are taken at
the values that change nothing; at others they are refused with the reason, as is any other keyword.
"""

from __future__ import annotations

import difflib
import inspect
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

ONE_GRAPH = "a model has a graph of its own and nothing of it is replaced"
FOREIGN: dict[str, tuple[Any, str]] = {  # the value that is taken, and why no other
    "neighbor_list": (None, "the model finds neighbours; `DeepPot.eval_pairs` takes pairs"),
    "nlist_backend": ("auto", "the model finds neighbours in one way"),
    "head": (None, "a model has one head"),
    "load_prefix": ("load", ONE_GRAPH),
    "default_tf_graph": (False, ONE_GRAPH),
    "input_map": (None, ONE_GRAPH),
    "efield": (None, "no model has an electric field"),
    "spin": (None, "spins are the places of virtual atoms in `coords`"),
}


def check_keywords(
    function: Callable, others: Mapping[str, Any], *foreign: str, name: str | None = None
) -> None:
    """Check `others`, which `function` has been given beyond its own parameters.

    foreign : those of FOREIGN that it may be given.
    name : of the function for a user, where it is inherited.
    Raises ValueError for a value that cannot be honoured, TypeError for an unknown keyword.
    """
    for keyword, value in others.items():
        if keyword not in foreign:
            own = inspect.signature(function).parameters.values()
            names = [p.name for p in own if p.name != "self" and p.kind != p.VAR_KEYWORD]
            known = list(dict.fromkeys([*names, *foreign]))
            near = difflib.get_close_matches(keyword, known, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"it takes {', '.join(known)}"
            name = name or function.__qualname__.removesuffix(".__init__")
            raise TypeError(f"`{name}` must be given its own keywords, got `{keyword}`; {hint}")
        harmless, reason = FOREIGN[keyword]
        if value is not harmless and not (isinstance(value, str | bool) and value == harmless):
            raise ValueError(
                f"`{keyword}` must be {harmless!r}, got {reprlib.repr(value)}: {reason}"
            )
