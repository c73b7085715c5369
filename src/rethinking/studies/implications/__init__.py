"""Implications: what all studies say together, on one scale of size."""

from rethinking.studies.study import Study

STUDY = Study(
    name="implications",
    tables=("sizes",),
    figures=("sizes",),
    shows=("quantisation",),
)
