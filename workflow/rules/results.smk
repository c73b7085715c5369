"""From runs to tidy results, and from these to tables, figures and claims. Nothing here loads torch."""


# One line a cell; one an epoch of the histories that studies read; and the curves of all runs, thinned, which the page of
# runs shows. Runs outside a narrowed selection are kept.
rule collect:
    input:
        [
            run_file(cell, name)
            for cell in PLAN.cells
            for name in ("metrics.json", "history.csv")
        ],
    output:
        cells=report(
            f"{RESULTS}/cells.csv",
            caption="../report/runs.rst",
            category="Runs",
            labels={"Runs": "all"},
        ),
        histories=f"{RESULTS}/histories.csv",
        curves=f"{RESULTS}/curves.csv",
    log:
        f"logs/results/{PRESET}/collect.log",
    conda:
        "../envs/rethinking.yaml"
    params:
        preset=PRESET,
        code=modules("rethinking.results.frame", "rethinking.results.learning_curves"),
        recipes=recipes_digest(),
        histories=histories_digest(),
        settings={"results": PLAN.params.results.model_dump()},
    message:
        "Collect {PRESET}"
    shell:
        "rethinking collect --preset {params.preset} > {log} 2>&1"


# One table, as CSV and as the article's Markdown, and the record of the runs that it is made of.
rule table:
    input:
        results=[rules.collect.output.cells, rules.collect.output.histories],
        experiments=shown_experiments,
        published=PUBLISHED,
    output:
        report(
            f"{RESULTS}/tables/{{study}}-{{name}}.csv",
            caption="../report/table.rst",
            category=study_title,
            subcategory="Tables",
            labels=table_labels,
        ),
        f"{RESULTS}/tables/{{study}}-{{name}}.md",
        f"{RESULTS}/tables/{{study}}-{{name}}.json",
    log:
        f"logs/results/{PRESET}/tables/{{study}}-{{name}}.log",
    wildcard_constraints:
        name="(?!claims$).+",
    conda:
        "../envs/rethinking.yaml"
    params:
        preset=PRESET,
        published=content_digests(PUBLISHED),
        code=lambda wildcards: code_of("table", wildcards),
        study=study_settings,
    message:
        "Table {wildcards.study}-{wildcards.name}"
    shell:
        "rethinking table {wildcards.study} {wildcards.name} --preset {params.preset} > {log} 2>&1"


# One figure, as SVG and as the points drawn in it, and the record of the runs that it is made of.
rule figure:
    input:
        results=[rules.collect.output.cells, rules.collect.output.histories],
        experiments=shown_experiments,
        published=PUBLISHED,
    output:
        report(
            f"{RESULTS}/figures/{{study}}-{{name}}.svg",
            caption="../report/figure.rst",
            category=study_title,
            subcategory="Figures",
            labels=figure_labels,
        ),
        f"{RESULTS}/figures/{{study}}-{{name}}.csv",
        f"{RESULTS}/figures/{{study}}-{{name}}.json",
    log:
        f"logs/results/{PRESET}/figures/{{study}}-{{name}}.log",
    conda:
        "../envs/rethinking.yaml"
    params:
        preset=PRESET,
        published=content_digests(PUBLISHED),
        code=lambda wildcards: code_of("figure", wildcards),
        study=study_settings,
    message:
        "Figure {wildcards.study}-{wildcards.name}"
    shell:
        "rethinking figure {wildcards.study} {wildcards.name} --preset {params.preset} > {log} 2>&1"


# Headline numbers, judged claims and the curves of `dvc plots`, of all studies.
rule summary:
    input:
        results=[rules.collect.output.cells, rules.collect.output.histories],
        experiments=experiment_files(),
        published=PUBLISHED,
    output:
        f"{RESULTS}/metrics.json",
        report(
            f"{RESULTS}/claims.json",
            caption="../report/claims.rst",
            category="Claims",
            labels={"Claims": "all"},
        ),
        expand(
            f"{RESULTS}/tables/{{study}}-claims.{{ending}}",
            study=list(STUDIES),
            ending=["md", "csv", "json"],
        ),
        [
            f"{RESULTS}/plots/{name}.csv"
            for study in STUDIES.values()
            for name in study.plots
        ],
    log:
        f"logs/results/{PRESET}/summary.log",
    conda:
        "../envs/rethinking.yaml"
    params:
        preset=PRESET,
        published=content_digests(PUBLISHED),
        code=modules(
            "rethinking.results.summary",
            *(
                study.module_name(part)
                for study in STUDIES.values()
                for part in ("tables", "claims", *(["plots"] if study.plots else []))
            ),
        ),
        settings=shown_settings(),
    message:
        "Judge claims"
    shell:
        "rethinking summary --preset {params.preset} > {log} 2>&1"
