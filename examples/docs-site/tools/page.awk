# usage: awk -f tools/page.awk theme/page.html PAGE.md
# A page of a small Markdown (headings, lists, paragraphs, code, links) as HTML.

FNR == 1 { file_count++ }
file_count == 1 { theme[++theme_count] = $0; next }

/^# / { title = substr($0, 3); emit("<h1>" inline(title) "</h1>"); next }
/^- / { open("ul"); body = body "<li>" inline(substr($0, 3)) "</li>\n"; next }
/^[[:space:]]*$/ { close_block(); next }
{ open("p"); body = body inline($0) "\n" }

END {
    close_block()
    for (i = 1; i <= theme_count; i++) {
        if (theme[i] == "@BODY@") {
            printf "%s", body
        } else {
            sub(/@TITLE@/, title, theme[i])
            print theme[i]
        }
    }
}

function open(tag) {
    if (block != tag) {
        close_block()
        body = body "<" tag ">\n"
        block = tag
    }
}

function close_block() {
    if (block != "") {
        body = body "</" block ">\n"
    }
    block = ""
}

function emit(text) {
    close_block()
    body = body text "\n"
}

function inline(text, parts, i, count, out, target) {
    count = split(text, parts, "`")
    for (i = 1; i <= count; i++) {
        if (i % 2 == 0) {
            out = out "<code>" parts[i] "</code>"
            continue
        }
        while (match(parts[i], /\[[^]]*\]\([^)]*\)/)) {
            target = substr(parts[i], RSTART, RLENGTH)
            parts[i] = substr(parts[i], 1, RSTART - 1) link(target) substr(parts[i], RSTART + RLENGTH)
        }
        out = out parts[i]
    }
    return out
}

function link(text, label, target) {
    label = text
    sub(/^\[/, "", label)
    sub(/\].*/, "", label)
    target = text
    sub(/.*\(/, "", target)
    sub(/\)$/, "", target)
    sub(/\.md$/, ".html", target)
    return "<a href=\"" target "\">" label "</a>"
}
