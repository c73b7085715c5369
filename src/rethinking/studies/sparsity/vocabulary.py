"""The words that the study's experiments put into their rows, and that its tables, figures and claims look for."""

CORRUPTIONS = ("true", "random-labels")
"""Networks that learned, and networks that memorised."""

GLOBAL, LAYER_WISE = "global", "layer-wise"
"""Scopes of pruning: one threshold for all layers, or the same fraction of every layer."""

ONE_SHOT, RETRAINING, ITERATIVE, TICKETS = "one-shot", "retraining", "iterative", "tickets"
"""Kinds of experiments; the first three are also the names of the methods in their rows."""

DENSE, TICKET, REINITIALISED, RANDOM_MASK = "dense", "ticket", "reinitialised", "random-mask"
"""Methods in the rows of tickets: not pruned; the first weights that were left; others; other places."""
