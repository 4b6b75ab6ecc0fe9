# usage: sh tools/lint.sh FOLDER
# Shell files have to parse; no line of any file ends in white space.
set -eu

for file in "$1"/*.sh; do
    [ ! -e "$file" ] || sh -n "$file"
done
if grep -n '[[:space:]]$' "$1"/*; then
    echo "lint: lines above end in white space" >&2
    exit 1
fi
