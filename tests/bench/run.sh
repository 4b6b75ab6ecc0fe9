#!/bin/sh
# Compares a warm qik with `git status` in three kinds of repositories. See README.md.
set -eu

QIK=$(realpath "${1:-$(dirname "$0")/../../target/release/qik}")
[ -x "$QIK" ] || { echo "no program $QIK: cargo build --release" >&2; exit 2; }
command -v hyperfine > /dev/null || { echo "this needs hyperfine" >&2; exit 2; }

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=bench GIT_AUTHOR_EMAIL=bench@example.org
export GIT_COMMITTER_NAME=bench GIT_COMMITTER_EMAIL=bench@example.org

# usage: begin NAME   an empty repository, entered
begin() {
    mkdir "$WORK/$1"
    cd "$WORK/$1"
    git init -q
}

# usage: files FOLDER COUNT
files() {
    mkdir -p "$1"
    for number in $(seq "$2"); do
        echo "$1 $number" > "$1/$number.txt"
    done
}

# usage: measure NAME   the ratio of a warm qik to git status, in the current folder
measure() {
    git add -A
    git commit -qm begin
    git status > /dev/null
    "$QIK" -v 0
    hyperfine -N --warmup 3 --style none --export-csv "$WORK/$1.csv" \
        "git status --porcelain" "$QIK -v 0" > /dev/null 2>&1
    awk -F , -v name="$1" '
        NR == 2 { git = $2 }
        NR == 3 { printf "%-10s git status %7.1f ms   qik %7.1f ms   ratio %.2f\n",
                  name, git * 1000, $2 * 1000, $2 / git }' "$WORK/$1.csv"
}

begin one
files src 100
printf '[commands.lint]\nexec = "true"\ndeps = ["src"]\n' > qik.toml
measure one

begin modules
printf '[spaces.default]\nmodules = [' > qik.toml
for module in $(seq 100); do
    files "m$module" 20
    printf '"m%s", ' "$module" >> qik.toml
done
printf ']\n' >> qik.toml
for command in $(seq 20); do
    printf '[commands.c%s]\nexec = "true {module.dir}"\ndeps = ["{module.dir}/**"]\n' "$command" >> qik.toml
done
measure modules

begin wide
for folder in $(seq 100); do
    files "d$folder" 500
done
printf '[commands.all]\nexec = "true"\ndeps = ["."]\n[commands.few]\nexec = "true"\ndeps = ["d1"]\n' > qik.toml
measure wide
