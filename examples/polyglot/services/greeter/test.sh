set -eu

seen=$(cat generated/messages.sh services/greeter/main.sh | sh -s -- Ada Grace)
[ "$(printf '%s\n' "$seen" | wc -l)" -eq 2 ]
case $seen in
    *Ada*Grace*) echo "greeter: ok" ;;
    *) echo "greeter: got: $seen" >&2; exit 1 ;;
esac
