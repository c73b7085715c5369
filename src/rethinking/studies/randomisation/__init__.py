"""The randomisation tests: Table 1, Table 4, Figures 1 and 2b of Zhang et al. 2017."""

from rethinking.studies.study import Study

STUDY = Study(
    name="randomisation",
    tables=(
        "table1",
        "table4",
        "convergence",
        "time-to-overfit",
        "test-error",
        "early-stopping",
        "curves",
        "other-datasets",
    ),
    figures=("overview", "figure1a", "figure1b", "figure1c", "figure2b"),
    plots=("learning-curves", "accuracy-curves", "figure1b", "figure1c"),
)
