"""Processes that have loaded torch and train one cell after the other, so that not every cell waits for it.

Others have loaded what draws figures, and make one table and figure after the other.

`rethinking train` stays the command that trains a cell. Where a broker runs (`broker`, in Snakemake's process), the
command hands its cell over (`client`), the broker picks a GPU and a process (`pool`) and stays with it to the end
(`one_cell`), and that process (`worker`) runs the same command as if it had been started for it. `messages` is what
they say to each other.
"""
