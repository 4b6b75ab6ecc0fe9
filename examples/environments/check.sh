#!/bin/sh
# Runs qik on a copy of this example and counts what really ran.
# Called in a git repository that holds the example; `qik` is on the PATH.
set -eu

command -v uv > output && uv --version > output 2>&1 || {
    echo "there is no uv: only names are checked" >&2
    [ "$(qik lint --ls | tr '\n' ' ')" = "lint@lint uv.install@default uv.lock@default " ]
    exit
}
python3 tools/wheels.py
unset VIRTUAL_ENV CONDA_PREFIX || true
export UV_NO_INDEX=1 UV_FIND_LINKS=wheels UV_OFFLINE=1 UV_PYTHON_DOWNLOADS=never

TICKS=$(mktemp)
export TICKS
trap 'rm -f "$TICKS"' EXIT

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

quietly qik
ran "cold" hello@default lint@lint site@docs
grep -q '^greet==1.1' app/requirements.txt || fail "the application is not locked"
grep -q '^greet==1.1' docs/requirements.txt || fail "the documentation has another version"
[ "$(cat site.html | head -1)" = "<h1>Greetings</h1>" ] || fail "there is no site"
quietly qik
ran "warm"
[ -z "$(qik --cache-status cold --ls)" ] || fail "something is cold"

[ "$(qik :x greet you)" = "Good morning, you" ] || fail "qikx does not run the program"
[ "$(cd docs && qik :x sitemaker index.md | tail -1)" = "<p>Hello.</p>" ] || fail "qikx in docs"
code=0
qik :x sitemaker 2> output || code=$?
[ "$code" = 127 ] || fail "a program of another space was found"
grep -q 'sitemaker@docs' output || fail "who has it is not named"

echo '# nothing new' >> app/requirements.in
quietly qik
ran "the lock is the same"

echo 'greet==1.0' >> app/requirements.in
quietly qik
ran "another version" hello@default lint@lint site@docs
[ "$(qik :x greet@docs you)" = "Hello, you" ] || fail "the documentation is not bound by the application"

rm -rf ._qik/venv
quietly qik :x --install
[ "$(qik :x greet you)" = "Hello, you" ] || fail "--install did not install"
quietly qik
ran "environments are back"
