"""One job trains one cell."""


# Train a cell. It depends on its recipe, its variant and the code that trains it: nothing else.
rule train:
    input:
        lambda wildcards: variant_files(*cell_of(wildcards).variant),
    output:
        [f"{RUN_PATTERN}/{name}" for name in RUN_FILES],
        WEIGHTS_PATTERN,
    log:
        "logs/runs/{preset}/{dataset}/{model}/{corruption}/{regularizer}/seed-{seed}.log",
    # Longest first: a long cell that starts last would run alone at the end.
    priority: lambda wildcards: expected_training_seconds()[cell_of(wildcards)]
    conda:
        "../envs/rethinking.yaml"
    threads: training_threads
    resources:
        gpu=gpus,
        processes=processes,
    params:
        cell=lambda wildcards: str(cell_of(wildcards)),
        recipe=lambda wildcards: PLAN.params.recipe(cell_of(wildcards)).digest(),
        code=lambda wildcards: training_code(PLAN.params.recipe(cell_of(wildcards))),
    message:
        "Train {params.cell}"
    shell:
        "OMP_NUM_THREADS={threads} MKL_NUM_THREADS={threads} "
        "rethinking train {params.cell} --preset {wildcards.preset} --threads {threads} --processes {resources.processes} --expect {params.recipe} {params.code} "
        "> {log} 2>&1"
