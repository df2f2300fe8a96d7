"""The compiled ops as Python functions with their gradients, a module for each idea."""
