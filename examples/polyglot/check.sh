#!/bin/sh
# Runs qik on a copy of this example and counts what really ran.
# Called in a git repository that holds the example; `qik` is on the PATH.
set -eu

TICKS=$(mktemp)
export TICKS
trap 'rm -f "$TICKS"' EXIT

# From here on every command first writes down its own name.
for file in qik.toml services/ledger/qik.toml; do
    sed 's/^exec = "/&echo $QIK__RUNNABLE >> $TICKS; /' "$file" > copy && mv copy "$file"
done
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

all='generate lint#greeter lint#ledger test#greeter test#ledger bundle#greeter bundle#ledger'
all="$all release ledger/report"
[ "$(qik --ls)" = "$(for name in $all; do echo "$name"; done | LC_ALL=C sort)" ] || fail "--ls differs"

quietly qik
ran "cold" $all
quietly qik
ran "warm"

cp dist/SUMS sums
rm -rf generated dist
quietly qik
ran "artifacts are gone"
cmp sums dist/SUMS || fail "dist/SUMS was not restored"
[ -x dist/greeter ] || fail "dist/greeter is no longer executable"
[ "$(./dist/greeter Ada)" = "Welcome, Ada" ] || fail "dist/greeter does not greet"

touch services/greeter/main.sh schema/messages.tsv
quietly qik
ran "touched"

cp schema/messages.tsv saved
echo '# the same messages' >> schema/messages.tsv
quietly qik
ran "the generated files are the same" generate

sed 's/Welcome/Hello/' saved > schema/messages.tsv
quietly qik
ran "a message changed" generate test#greeter test#ledger bundle#greeter bundle#ledger release ledger/report
[ "$(./dist/greeter Ada)" = "Hello, Ada" ] || fail "dist/greeter is out of date"

cp saved schema/messages.tsv
quietly qik
ran "the change was undone"
[ "$(./dist/greeter Ada)" = "Welcome, Ada" ] || fail "dist/greeter was not restored"

cp services/greeter/main.sh saved
echo '# one line more' >> services/greeter/main.sh
quietly qik -m greeter
ran "one module edited" lint#greeter test#greeter bundle#greeter
quietly qik
ran "the rest of it" release

echo 'exit 3' >> services/greeter/test.sh
code=0
qik > output 2>&1 || code=$?
[ "$code" -eq 3 ] || fail "exit code $code of a failing test, not 3"
ran "a failing test stops what is downstream" lint#greeter test#greeter
git checkout -q services/greeter
quietly qik
ran "mended"

quietly env TOOLCHAIN=2 qik
ran "a base dep changed" $all
quietly qik -t fast
ran "the old toolchain is still warm"
