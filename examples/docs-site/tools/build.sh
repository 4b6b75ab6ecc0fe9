# pages/**.md -> site/**.html
set -eu

rm -rf site
find pages -name '*.md' | LC_ALL=C sort | while read -r page; do
    target=site/${page#pages/}
    target=${target%.md}.html
    mkdir -p "$(dirname "$target")"
    awk -f tools/page.awk theme/page.html "$page" > "$target"
    echo "$target"
done
