"""One live progress display in place of Snakemake's scheduler log: ``snakemake --logger rethinking``.

Snakemake imports every installed logger plugin each time it starts, in the subprocess of a job too,
so nothing heavy is imported here: rich comes in when a handler is made.

- ``progress``: the state of a run, fed with events; pure Python
- ``problems``: what went wrong in a run, and the text that says so; pure Python
- ``display``: how both reach a person; a live display on a terminal, plain lines elsewhere
- ``handler``: Snakemake's log records, translated into calls of the three above
"""

from snakemake_logger_plugin_rethinking.handler import LogHandler

__all__ = ["LogHandler"]
