#!/bin/sh
# Runs qik on a copy of this example and counts what really ran.
# Called in a git repository that holds the example; `qik` is on the PATH.
set -eu

TICKS=$(mktemp)
FOLDER=$(mktemp -d)
export TICKS
trap 'rm -rf "$TICKS" "$FOLDER"' EXIT

export GIT_AUTHOR_NAME=ci GIT_AUTHOR_EMAIL=ci@example.org
export GIT_COMMITTER_NAME=ci GIT_COMMITTER_EMAIL=ci@example.org

# From here on every command first writes down its own name.
sed 's/^exec = "/&echo $QIK__RUNNABLE >> $TICKS; /' qik.toml > copy && mv copy qik.toml
git add -A
git commit -qm 'begin'
git branch -M main

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
    "$@" > "$FOLDER/output" 2>&1 || { cat "$FOLDER/output" >&2; fail "failed: $*"; }
}
fails() {
    if "$@" > "$FOLDER/output" 2>&1; then
        cat "$FOLDER/output" >&2
        fail "did not fail: $*"
    fi
}
says() {
    grep -qx "$1" "$FOLDER/output" || { cat "$FOLDER/output" >&2; fail "does not say: $1"; }
}
commit_all() {
    git add -A
    git commit -qm "$1"
}

fails ci/verify-committed.sh
says format
says lint
says lock
ran "the check runs nothing"

quietly qik
ran "cold" format lint lock test
commit_all 'run qik'
quietly ci/verify-committed.sh

# Someone else, elsewhere: committed results are replayed, local ones are not there.
git clone -q . "$FOLDER/clone"
cd "$FOLDER/clone"
quietly ci/verify-committed.sh
quietly qik
ran "in a clone" test
[ -z "$(git status --porcelain)" ] || fail "a replay changed files: $(git status --porcelain)"

# A branch that forgets to run qik.
git checkout -qb forgetful
echo apricot >> words/fruit.in
fails ci/pipeline.sh origin/main
says lock
ran "CI runs nothing where a committed result is out of date"
quietly qik
ran "the branch runs qik" format lock test
commit_all 'add an apricot'

# CI, in a clone that never ran anything.
git clone -q "$FOLDER/clone" "$FOLDER/job"
cd "$FOLDER/job"
quietly ci/changed.sh origin/main
says lock
says test
ran "what changed since main, without what is committed" test
quietly ci/pipeline.sh origin/main
ran "nothing is left to do"
[ -z "$(qik --since origin/main... --ls | grep -x lint)" ] || fail "lint is not affected"

# Two branches with results of their own: merging them is no conflict in `.qik`.
cd "$FOLDER/clone"
git checkout -qb other main
echo zucchini >> words/vegetables.in
quietly qik
commit_all 'add a zucchini'
: > "$TICKS"
quietly git merge -q --no-edit forgetful
fails ci/verify-committed.sh
says lock
quietly qik
ran "after the merge, what was merged is run" format lock test
grep -qx apricot words.lock && grep -qx zucchini words.lock || fail "words.lock misses a word"

# A formatter that had something to do is warm at once: `rewrites`.
echo DATE >> words/fruit.in
quietly qik format
ran "it rewrites" format
grep -qx date words/fruit.in || fail "words/fruit.in was not formatted"
quietly qik format
ran "formatted"
quietly qik
ran "with the new word" lock test

# Warm first, then cold: quick answers first.
echo banana >> words/fruit.in
quietly qik --cache-status warm
ran "what is warm runs nothing"
quietly qik --cache-status cold
ran "what is cold runs" format lock
