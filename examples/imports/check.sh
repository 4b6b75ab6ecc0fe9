#!/bin/sh
# Runs qik on a copy of this example and counts what really ran.
# Called in a git repository that holds the example; `qik` is on the PATH.
set -eu

TICKS=$(mktemp)
export TICKS
trap 'rm -f "$TICKS"' EXIT
unset VIRTUAL_ENV CONDA_PREFIX || true
export PYTHONDONTWRITEBYTECODE=1

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

report=test@apps#report
shop=test@apps#shop
units=test@units#units

quietly qik
ran "cold" $report $shop $units
quietly qik
ran "warm"

echo '# one line more' >> src/units/money.py
quietly qik
ran "shop imports money" $shop $units
echo '# one line more' >> src/units/length.py
quietly qik
ran "report imports length, as its comment says" $report $units
echo '# one line more' >> src/shop/cart.py
quietly qik
ran "what is for type checkers does not count" $shop

git commit -qam "as it is"
echo '# another line' >> src/units/money.py
[ "$(qik test --since HEAD --ls | grep -c '^test')" = 2 ] || fail "--since does not follow imports"
[ "$(qik :graph imports shop units.money)" = \
    "src/shop/cart.py:1: shop.cart imports units.money" ] || fail "why does shop need money"

echo 'import shop.cart' >> src/units/length.py
code=0
qik pygraph.check > output 2>&1 || code=$?
[ "$code" -eq 1 ] || fail "the fence of units is open"
grep -q 'src/units/length.py:[0-9]*: units.length imports shop.cart' output || fail "not named"
