"""Models: from pair displacements to energy, force and virial."""
