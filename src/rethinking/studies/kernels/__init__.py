"""Linear models that interpolate: Gram systems, and the solution that gradient descent finds (Zhang et al. 2017, 5)."""

from rethinking.studies.study import Study

STUDY = Study(
    name="kernels",
    tables=("errors", "norms", "cost", "descent"),
    figures=("norms", "ridge", "descent"),
)
