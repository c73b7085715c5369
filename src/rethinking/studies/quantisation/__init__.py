"""Quantisation of trained networks: weights in few bits, int8 arithmetic, and both pruning and quantisation."""

from rethinking.studies.study import Study

STUDY = Study(
    name="quantisation",
    tables=("bits", "needed", "size", "int8", "latency", "combined"),
    figures=("bits", "bytes"),
)
