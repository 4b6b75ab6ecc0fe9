#!/bin/sh
# Fails, and says which, if a result that should have been committed is out of date. Runs nothing.
set -eu

if ! cold=$(qik --cache repo --cache-status cold --fail --ls); then
    echo "these results are out of date:" >&2
    echo "$cold" >&2
    echo "run 'qik --cache repo' and commit what it changes" >&2
    exit 1
fi
