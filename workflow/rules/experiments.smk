"""One job carries out one experiment of a study: on trained networks, or on data alone."""


# Carry out an experiment. It depends on its settings, the networks and data that it reads, and its code: nothing else.
rule experiment:
    input:
        experiment_inputs,
    output:
        TABLE_PATTERN,
        RECORD_PATTERN,
    log:
        "logs/experiments/{preset}/{study}/{kind}/{unit}.log",
    wildcard_constraints:
        kind=f"(?!({KINDS_WITH_NETWORKS}|{STREAMED_KINDS})/)[^/]+",
    # As long as the longest cells, and others may wait for it.
    priority: 5000
    conda:
        "../envs/rethinking.yaml"
    threads: TRAINING_THREADS
    resources:
        gpu=experiment_gpus,
        processes=1,
    params:
        settings=lambda wildcards: dict(experiment_of(wildcards).settings),
        code=lambda wildcards: modules(*experiment_code_roots(wildcards)),
        expected=experiment_expected,
    message:
        "Experiment {wildcards.study}/{wildcards.kind}/{wildcards.unit}"
    shell:
        "OMP_NUM_THREADS={threads} MKL_NUM_THREADS={threads} "
        "rethinking experiment {wildcards.study} {wildcards.kind} {wildcards.unit} --preset {wildcards.preset} "
        "--threads {threads} --processes {resources.processes} --expect {params.expected} > {log} 2>&1"


# The same, for experiments that others go on from.
use rule experiment as experiment_with_networks with:
    output:
        TABLE_PATTERN,
        RECORD_PATTERN,
        NETWORKS_PATTERN,
    wildcard_constraints:
        kind=KINDS_WITH_NETWORKS,


# The same, on data that are read from a folder while several processes train. It takes days and has the machine for
# itself: after all else.
use rule experiment as streamed_experiment with:
    wildcard_constraints:
        kind=STREAMED_KINDS,
    priority: -1
    threads: streamed_threads
    resources:
        gpu=streamed_gpus,
        processes=streamed_processes,
