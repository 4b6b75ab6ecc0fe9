#!/bin/sh
# Runs qik on a copy of this example and counts what really ran.
# Called in a git repository that holds the example; `qik` is on the PATH.
set -eu

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
fails() {
    if "$@" > output 2>&1; then
        cat output >&2
        fail "did not fail: $*"
    fi
}

[ "$(qik --ls | tr '\n' ' ')" = "build links prose " ] || fail "publish is hidden"

quietly qik
ran "cold" build links prose
[ -f site/reference/parts.html ] || fail "no site/reference/parts.html"
quietly qik
ran "warm"

rm -rf site
quietly qik links
ran "the site is gone"
grep -q '<h1>Parts</h1>' site/reference/parts.html || fail "the site was not restored"

echo >> pages/guide.md
quietly qik
ran "the site is the same" build prose
git checkout -q pages

quietly qik publish
ran "publish, named" publish
cmp site/index.html public/index.html || fail "public/ is not the site"
quietly qik publish
ran "publish is never cached" publish

echo 'See [nothing](nothing.md).' >> pages/guide.md
fails qik
grep -q 'site/guide.html: no file nothing.html' output || fail "a broken link is not named"
ran "a broken link" build links prose
fails qik publish
ran "nothing is published" links
git checkout -q pages

echo 'One. Two.' >> pages/index.md
fails qik prose
ran "a complaint about prose" prose
fails qik prose
grep -q 'holds more than one sentence' output || fail "the complaint was not replayed"
ran "the same complaint, replayed"

git checkout -q pages
quietly qik
ran "all is as it was"
