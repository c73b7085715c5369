"""Quantisation of trained networks."""

from rethinking.studies.study import Study

STUDY = Study(
    name="quantisation",
    tables=(),
    figures=(),
)
