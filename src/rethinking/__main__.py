"""`python -m rethinking` is the command `rethinking`: what torchrun can start."""

from rethinking.cli import main

main()
