"""The words that the study's experiments put into their rows, and that its tables, figures and claims look for."""

STUDY = "quantisation"

WEIGHTS, INT8, COMBINED = "weights", "int8", "combined"
"""Kinds of experiments."""

PER_TENSOR, PER_CHANNEL = "per tensor", "per channel"
"""Granularities: one scale for all weights of a layer, or one for each of its output channels."""

FLOAT, POST_TRAINING, AWARE = "float32", "post-training", "aware"
"""Methods: not quantised; rounded after training; trained on while rounded."""

FLOAT_BITS = 32
"""What stands for the number of bits where weights are not quantised."""
