"""What runs cost: measured on this machine, recorded in benchmarks/, multiplied into hours and bytes before a run."""
