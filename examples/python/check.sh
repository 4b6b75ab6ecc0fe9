#!/bin/sh
# Runs qik on a copy of this example and counts what really ran.
# Called in a git repository that holds the example; `qik` is on the PATH.
set -eu

TICKS=$(mktemp)
export TICKS
trap 'rm -f "$TICKS"' EXIT
unset VIRTUAL_ENV CONDA_PREFIX || true

# From here on every command first writes down its own name.
sed 's/^exec = "/&echo $QIK__RUNNABLE >> $TICKS; /' qik.toml > copy && mv copy qik.toml
git add -A

# usage: ran WHEN [RUNNABLE...]   exactly these have run since the last call
ran() {
    when=$1
    shift
    seen=$(sort "$TICKS" | tr '\n' ' ')
    wanted=$(for name in "$@"; do echo "$name"; done | sort | tr '\n' ' ')
    : > "$TICKS"
    if [ "$seen" != "$wanted" ]; then
        printf '%s\n  ran:    %s\n  wanted: %s\n' "$when" "$seen" "$wanted" >&2
        exit 1
    fi
}
fail() {
    echo "$1" >&2
    exit 1
}
quietly() {
    "$@" > output 2>&1 || { cat output >&2; fail "failed: $*"; }
}
# usage: install VERSION   puts `house-style` into a virtual environment of ours
install() {
    rm -rf venv/lib/python3.11/site-packages
    folder=venv/lib/python3.11/site-packages/house_style-$1.dist-info
    mkdir -p "$folder"
    printf 'Metadata-Version: 2.1\nName: house-style\nVersion: %s\n' "$1" > "$folder/METADATA"
}

backend='compile@backend#shop compile@backend#units lint@backend#shop lint@backend#units'
backend="$backend test@backend#shop test@backend#units"
scripts='compile@scripts#report lint@scripts#report test@scripts#report'
lints='lint@backend#shop lint@backend#units lint@scripts#report'

quietly qik
ran "cold" $backend $scripts
quietly qik
ran "warm"

echo '# one line more' >> backend/units/__init__.py
quietly qik
ran "shop loads a dep on units" \
    compile@backend#units lint@backend#units test@backend#units test@backend#shop

echo "REPORT_TITLE='Monthly report'" > config/scripts.env
quietly qik
ran "a dotenv file is a dep of its space" $scripts

[ "$(cd backend && qik --ls | tr '\n' ' ')" = "$backend " ] || fail "root does not select its space"
[ "$(cd scripts/report && qik --ls | tr '\n' ' ')" = "$scripts " ] || fail "a folder below root"
[ "$(cd scripts && qik -s backend -t fast -m shop --ls | tr '\n' ' ')" = \
    "compile@backend#shop lint@backend#shop " ] || fail "-s does not win over root"

export VIRTUAL_ENV="$PWD/venv"
quietly qik
ran "an empty environment is as good as none"
install 1.0
quietly qik
ran "a distribution was installed" $lints
install 1.1
quietly qik
ran "a distribution was upgraded" $lints
install 1.0
quietly qik
ran "a distribution was downgraded: these results are known"

rm config/scripts.env
code=0
qik > output 2>&1 || code=$?
[ "$code" -ne 0 ] || fail "a missing dotenv file is no failure"
grep -q 'config/scripts.env' output || fail "a missing dotenv file is not named"
ran "a missing dotenv file fails only its own space"
