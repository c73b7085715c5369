"""Finite-sample expressivity: networks that represent any labelling (Zhang et al. 2017, section 4)."""

from rethinking.studies.study import Study

STUDY = Study(
    name="expressivity",
    tables=("labellings", "choices", "depth", "counts"),
    figures=("scaling",),
)
