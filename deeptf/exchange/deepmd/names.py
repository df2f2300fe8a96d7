"""What a frozen model of deepmd-kit (TensorFlow backend) is made of, in tables.

White lists: OUTPUTS, INPUTS, ATTRIBUTES (constants that nothing in the graph reads), STANDARD_OPS,
GELU_OPS; the ops of a descriptor are in a file of its own (kinds/). Whatever is not in them stops
a conversion.

SIGNS give the features that some models have a name for the message; a descriptor lists those that
belong to it.
"""

from __future__ import annotations

import re

GELU_OPS = ("GeluCustom", "Gelu")
GELU_GRAD_OPS = ("GeluGradCustom", "GeluGrad")

# TensorFlow's own ops in such models: shapes, slices, products, activations and their gradients.
# All give the same output whenever they get the same input; none chooses a branch of the graph.
STANDARD_OPS = frozenset(
    """
    Add AddN AddV2 BatchMatMul BatchMatMulV2 BiasAdd BroadcastGradientArgs Cast ConcatOffset
    ConcatV2 Const ExpandDims Fill FloorMod Gather GatherV2 GreaterEqual Identity Less MatMul
    Maximum Minimum Mul Neg OneHot Pack Pad Placeholder Pow Range Rank RealDiv Relu Relu6 Relu6Grad
    ReluGrad Reshape Select SelectV2 Shape ShapeN Sigmoid SigmoidGrad Slice Softplus SoftplusGrad
    Split Square Squeeze StridedSlice Sub Sum Tanh TanhGrad Tile Transpose Unpack ZerosLike
    """.split()
)

# And those that pick the atoms of some types, and make matrices.
TENSOR_OPS = frozenset(
    """
    BroadcastTo Equal InvertPermutation LogicalOr MatrixDiagV3 MatrixDiagPartV3 Max NotEqual Prod
    Reverse ReverseV2 Where
    """.split()
)

# And those of a table of pair energies where atoms are near, see short_range.py.
SHORT_RANGE_OPS = ("SoftMinSwitch", "PairTab", "SoftMinForce", "SoftMinVirial")

ENERGY, ATOM_ENERGY, FORCE, VIRIAL = "o_energy", "o_atom_energy", "o_force", "o_virial"
ATOM_VIRIAL, DESCRIPTOR = "o_atom_virial", "o_descriptor"
# Outputs for other programs, of which the conversion makes nothing: environment, neighbours, axes.
GEOMETRY_OUTPUTS = ("o_rmat", "o_rmat_deriv", "o_rij", "o_nlist", "o_rot_mat")
# The outputs that a model must have, by what it is a model of.
NEEDED_OUTPUTS = {
    "ener": (ENERGY, ATOM_ENERGY, FORCE, VIRIAL),
    "dipole": ("o_dipole", "o_global_dipole"),
    "polar": ("o_polar", "o_global_polar"),
    "dos": ("o_atom_dos", "o_dos"),
}
OUTPUTS = (*sum(NEEDED_OUTPUTS.values(), ()), ATOM_VIRIAL, DESCRIPTOR, *GEOMETRY_OUTPUTS)

INPUTS = ("t_coord", "t_type", "t_natoms", "t_box", "t_mesh", "t_fparam", "t_aparam")

# Constants that describe the model: read by the conversion, or with the reason why they need not.
ATTRIBUTES: dict[str, str] = {
    "model_attr/tmap": "read",
    "model_attr/model_type": "read",
    "model_attr/model_version": "read",
    "model_attr/t_tab_info": "read",
    "model_attr/t_tab_data": "read",
    "model_attr/model_attr/t_out_bias": "read",
    "model_attr/model_attr/t_out_std": "read",
    "model_type": "read",
    "descrpt_attr/rcut": "read",
    "descrpt_attr/ntypes": "read",
    "descrpt_attr/sel": "read",
    "descrpt_attr/t_avg": "read",
    "descrpt_attr/t_std": "read",
    "fitting_attr/dfparam": "read",
    "fitting_attr/daparam": "read",
    "fitting_attr/aparam_nall": "read",
    "fitting_attr/numb_dos": "read",
    "fitting_attr/t_bias_dos": "it is not added to anything",
    "fitting_attr/t_constant_matrix": "read",
    "model_attr/sel_type": "read",
    "model_attr/output_dim": "read",
    "fitting_attr/t_bias_atom_e": "read",
    "fitting_attr/t_fparam_avg": "read",
    "fitting_attr/t_fparam_istd": "read",
    "fitting_attr/t_aparam_avg": "read",
    "fitting_attr/t_aparam_istd": "read",
    "train_attr/training_script": "read",
    "train_attr/min_nbor_dist": "it says how near atoms come in the data; results do not need it",
    "descrpt_attr/original_sel": "it is a note of the sel in the input; the op has the one in use",
    "descrpt_attr/ndescrpt": "it is the width of the environment rows, which follows from sel",
}
# Constants in the arithmetic of polarizabilities: factors, which the training input has too, and
# unit matrices. The comparison of the graphs sees what they are.
ARITHMETIC = re.compile(r"eye(_\d+)?/(ones|zeros)|Reshape(_\d+)?/tensor")
VERSIONS = ("1.0", "1.1")

# Features that some descriptors have.
COMPRESSED = "a compressed embedding"
MIXED = "a descriptor of mixed types (se_atten)"
ATTENTION = "attention"
TYPE_EMBEDDING = "a type embedding"
STRIPPED = "a stripped type embedding"
HYBRID = "a hybrid descriptor"
SE_E3 = "the descriptor se_e3"
LOC_FRAME = "the descriptor loc_frame"
ATOM_MASK = "a mask of atoms (aparam)"

# Features of models, by what they are models of.
DENSITY, TENSOR = "a density of states", "a tensor fitting"
PAIR_TABLE = "a pair table"
OF_MODEL = {"ener": (PAIR_TABLE,), "dipole": (TENSOR,), "polar": (TENSOR,), "dos": (DENSITY,)}

# Where a feature shows: a pattern of "op NAME" or "node NAME" -> what it is.
SIGNS: tuple[tuple[str, str], ...] = (
    (r"op (PairTab|SoftMin\w+)|node model_attr/t_tab_", PAIR_TABLE),
    (r"node (modifier_attr/|dipole_charge/|t_ef$|o_dm_)", "a dipole-charge modifier (long range)"),
    (r"op Tabulate\w+", COMPRESSED),
    (r"op \w*Nvnmd\w*|node \w*nvnmd", "NVNMD"),
    (r"op ProdEnvMatAMix\w*", MIXED),
    (r"node attention_layer", ATTENTION),
    (r"node (type_embed_net|t_typeebd)", TYPE_EMBEDDING),
    (r"node filter_type_\w+/\w+_(one|two)_side_ebd", STRIPPED),
    (r"node spin_attr/", "spin"),
    (r"node \w+_attr_model\d+/|node load_model\d+/", "a sum of several models (linear_ener)"),
    (r"node descrpt_attr(_\d+)+/", HYBRID),
    (r"node filter_type_all\w*/matrix_\d+_\d+_\d+$", SE_E3),
    (r"op (Descrpt|ProdForce|ProdVirial)", LOC_FRAME),
    (r"op \w+SeAMask|node fitting_attr/aparam_nall", ATOM_MASK),
    (r"op \w+SeAEf\w*|node \w*_ef_", "an external field"),
    (r"node share_", "layers shared between nets (layer_name)"),
    (r"op (While|Switch|Merge|Enter|If|StatelessIf|StatelessWhile)", "control flow"),
    (r"node fitting_attr/numb_dos", DENSITY),
    (r"node model_attr/(sel_type|output_dim)", TENSOR),
    (r"op PlaceholderWithDefault", "a default for an input"),
)


_PART = re.compile(r"(descrpt_attr|o_rmat_deriv|o_rmat|o_rij|o_nlist|o_rot_mat)(_\d+)+(?=/|$)")


def plain(name: str) -> str:
    """Return a name without the suffix that parts of hybrid descriptors have."""
    return _PART.sub(r"\1", name)


def describes(name: str) -> bool:
    """Return whether a constant of this name describes the model."""
    return "_attr/" in name or plain(name) in ATTRIBUTES


def signs(op: str, name: str) -> list[tuple[str, str]]:
    """Return the features that a node shows, each with the place where: its op or its name."""
    found = []
    for pattern, feature in SIGNS:
        if re.match(pattern, f"node {name}"):
            found.append((feature, name))
        elif re.fullmatch(pattern, f"op {op}"):
            found.append((feature, f"op {op}"))
    return found
