set -eu

seen=$(awk -f generated/messages.awk -f services/ledger/main.awk services/ledger/sample.tsv)
case $seen in
    *12*) echo "ledger: ok" ;;
    *) echo "ledger: got: $seen" >&2; exit 1 ;;
esac
