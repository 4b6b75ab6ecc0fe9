# Every relative link of site/**.html leads to a file.
set -eu

broken=$(find site -name '*.html' | LC_ALL=C sort | while read -r page; do
    awk -v RS='"' 'before ~ /href=$/ { print } { before = $0 }' "$page" | while read -r target; do
        [ -f "$(dirname "$page")/$target" ] || echo "$page: no file $target"
    done
done)
if [ -n "$broken" ]; then
    echo "$broken"
    exit 1
fi
