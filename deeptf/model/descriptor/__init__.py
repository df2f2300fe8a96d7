"""Descriptors: one file each. A descriptor owes its config, its output width and `build`."""

from deeptf.model.descriptor.se_e2_a import SeE2A

DESCRIPTORS = {SeE2A.type: SeE2A}
