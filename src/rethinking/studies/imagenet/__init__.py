"""ImageNet: Table 2 and Figure 2a of Zhang et al. 2017."""

from rethinking.studies.study import Study

STUDY = Study(name="imagenet", tables=("table2",), figures=("figure2a",))
