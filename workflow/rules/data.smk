"""Verified originals, and one variant for each corruption."""


# Where the mirror is has no say in what is fetched: the checksums have. So it is no parameter of the rule. Nor is where
# ImageNet lies one of training on it.
envvars:
    *(name for name in (MIRROR_VARIABLE, IMAGENET_VARIABLE) if os.environ.get(name)),


# Compute nodes of a cluster often cannot reach the internet: files are fetched where Snakemake runs.
localrules:
    fetch,


# Fetch, verify and unpack a data set's original files.
rule fetch:
    output:
        manifest="data/{dataset}/true/manifest.json",
        arrays=expand("data/{{dataset}}/true/{array}.npy", array=ARRAYS),
    log:
        "logs/data/{dataset}/true.log",
    priority: 10000
    conda:
        "../envs/rethinking.yaml"
    params:
        code=modules("rethinking.data.sources"),
    message:
        "Fetch {wildcards.dataset}"
    shell:
        "rethinking fetch {wildcards.dataset} > {log} 2>&1"


# Replace training labels; images are those of the originals.
rule corrupt_labels:
    input:
        original_files,
    output:
        manifest="data/{dataset}/{corruption}/manifest.json",
        arrays=expand(
            "data/{{dataset}}/{{corruption}}/{array}.npy",
            array=changed_arrays("random-labels"),
        ),
    log:
        "logs/data/{dataset}/{corruption}.log",
    wildcard_constraints:
        corruption=r"(wrong-)?labels-p\d\d|random-labels",
    # Before all training: the longest cells may wait for any of the variants.
    priority: 10000
    conda:
        "../envs/rethinking.yaml"
    params:
        code=modules("rethinking.data.variants"),
        corruption_seed=PLAN.params.data.corruption_seed,
    message:
        "Make {wildcards.dataset}/{wildcards.corruption}"
    shell:
        "rethinking corrupt {wildcards.dataset} {wildcards.corruption} --seed {params.corruption_seed} > {log} 2>&1"


use rule corrupt_labels as corrupt_images with:
    output:
        manifest="data/{dataset}/{corruption}/manifest.json",
        arrays=expand(
            "data/{{dataset}}/{{corruption}}/{array}.npy",
            array=changed_arrays("gaussian"),
        ),
    wildcard_constraints:
        corruption="shuffled-pixels|random-pixels|gaussian",
