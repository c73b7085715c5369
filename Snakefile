"""The whole pipeline: params -> cells -> fetch -> variant -> train -> experiments -> tables, figures, claims -> article.

snakemake                                      the preset that params.yaml names
snakemake --config preset=paper                another one
snakemake --config models=mlp-1x512,alexnet    narrowed: also studies, datasets, corruptions, regularizers, seeds
"""

from snakemake.utils import min_version

min_version("9.20")


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/experiments.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/article.smk"


# Runs and results are targets of their own: Snakemake does not miss a file that is gone if what was made from it is there.
rule all:
    default_target: True
    input:
        ARTICLE,
        result_files(),
        run_files(),
        experiment_files(),


# Snakemake has taken note of all that was trained: the kept copies of finished runs have done their service.
onsuccess:
    forget_kept_runs()


# Everything but the article.
rule results:
    input:
        result_files(),
        run_files(),
        experiment_files(),


# The trained cells alone.
rule runs:
    input:
        run_files(),


# What studies do with trained networks, and beside them.
rule experiments:
    input:
        experiment_files(),
