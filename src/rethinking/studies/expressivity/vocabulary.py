"""Words that experiments write and tables read."""

PIXELS, WHITENED = "pixels", "whitened"
INPUTS = (PIXELS, WHITENED)
"""What the points are: whole numbers, or what networks are given."""

ALTERNATING, MIDWAY = "alternating", "midway"
THRESHOLDS = (ALTERNATING, MIDWAY)
"""How thresholds are chosen between the points."""

TWO_LAYERS = 2
"""The depth of the network of theorem 1."""

SUBSTITUTION, MATRIX = "substitution", "matrix"
"""How the triangular system is solved: in a running sum, or as a matrix."""
