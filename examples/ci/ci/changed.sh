#!/bin/sh
# usage: changed.sh BASE
# Runs what the commits since the merge base with BASE affect.
set -eu

qik --since "$1..." --ls >&2
qik --since "$1..."
