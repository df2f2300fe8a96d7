"""Descriptors: one file each, listed here under its `type`."""

from deeptf.model.descriptor.dpa1 import SeAtten, SeAttenV2
from deeptf.model.descriptor.hybrid import PARTS, Hybrid
from deeptf.model.descriptor.loc_frame import LocFrame
from deeptf.model.descriptor.se_a_ebd_v2 import SeAEbdV2
from deeptf.model.descriptor.se_a_mask import SeAMask
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.se_e2_r import SeE2R
from deeptf.model.descriptor.se_e3 import SeE3

KINDS = (SeE2A, SeE2R, SeE3, SeAEbdV2, SeAtten, SeAttenV2, LocFrame, Hybrid)
WHOLE = (SeAMask,)  # those that are no parts of others
DESCRIPTORS = {kind.type: kind for kind in (*KINDS, *WHOLE)}
PARTS.update({kind.type: kind for kind in KINDS})
