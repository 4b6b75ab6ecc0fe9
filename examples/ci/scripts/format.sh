# Makes words/*.in lower case, in place; leaves alone what is so already.
set -eu

for file in words/*.in; do
    lower=$(tr 'A-Z' 'a-z' < "$file")
    if [ "$(cat "$file")" != "$lower" ]; then
        printf '%s\n' "$lower" > "$file"
        echo "$file"
    fi
done
