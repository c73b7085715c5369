"""What this project asks of Snakemake beyond its settings; workflow/rules/common.smk puts it in place.

- `persistence`: records of outputs lie beside them, and locks are those of living processes
- `batches`: each of several jobs in one submission to a cluster succeeds or fails for itself
- `queue`: jobs that a killed run has left in a cluster's queue, and jobs that would wait there in vain
- `scheduling`: how often the scheduler looks for jobs to start
- `termination`: SIGTERM ends a run whatever it is at
"""
