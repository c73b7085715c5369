#!/usr/bin/env bash
# Runs in the project's folder, inside the environment that rethinking.yaml describes.
set -euo pipefail
python -m pip install --quiet --require-hashes -r requirements.lock
python -m pip install --quiet --no-deps --no-build-isolation -e .
