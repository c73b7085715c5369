"""The article, from sources and finished results; nothing in it is executed."""


# Render with Quarto where it is, with the pandoc preview where it is not.
rule article:
    input:
        sources=ARTICLE_SOURCES,
        # Of all studies, as the article has a section on each: what was not run says so.
        results=result_files(list(STUDIES.values())),
        runs=rules.collect.output,
        experiments=experiment_files(),
    output:
        ARTICLE,
        f"articles/{PRESET}/index.pdf",
    log:
        f"logs/article/{PRESET}.log",
    conda:
        "../envs/rethinking.yaml"
    params:
        preset=PRESET,
        code=modules(
            "rethinking.article.assemble",
            "rethinking.article.render",
            "rethinking.article.site",
        ),
        content=content_digests(ARTICLE_SOURCES),
        settings=shown_settings(),
    message:
        "Render the article"
    shell:
        "rethinking article --preset {params.preset} > {log} 2>&1"
