"""Molecular dynamics with ASE's integrators: `deeptf md`."""
