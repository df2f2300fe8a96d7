"""Reading frozen models of deepmd-kit's TensorFlow backend.

graph.py has the nodes, names.py the lists of what is known of them, kind.py what a descriptor is
here, and kinds/ one file for each. settings.py and arrays.py make a deeptf model of them, and
check.py compares both by running the graph (run.py), with geometry.py for the ops that TensorFlow
does not know.
"""
