"""Classical generalisation bounds, evaluated for the trained networks (Zhang et al. 2017, section 2.2)."""

from rethinking.studies.study import Study

STUDY = Study(
    name="bounds",
    tables=("label-blind", "complexity", "norms", "stability"),
    figures=("bounds",),
)
"""Why the classical theory says nothing about these networks."""
