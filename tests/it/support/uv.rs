//! A made-up `uv`, for machines without one: it writes down its arguments, pins what it is told
//! to, and installs metadata and a program for each pin.

use super::Project;

/// What the program is. `UV_CALLS` counts its calls, `UV_DIES` names the step that kills it half
/// way.
const SCRIPT: &str = r##"#!/bin/sh
set -eu
echo "$* [$(env | grep ^UV_INDEX_URL || :)]" >> "$UV_CALLS"
case "$1 $2" in
"pip compile")
    shift 2
    all=$(mktemp) lock=
    while [ $# -gt 0 ]; do
        case $1 in
            --python | --constraint) shift ;;
            -o) lock=$2; shift ;;
            -*) ;;
            *) cat "$1" >> "$all" ;;
        esac
        shift
    done
    if grep -q impossible "$all"; then echo "no version of impossible" >&2; exit 1; fi
    { echo "#    ${UV_CUSTOM_COMPILE_COMMAND-}"; grep '==' "$all" || :; } > "$lock.new"
    mv "$lock.new" "$lock"
    ;;
"pip sync")
    shift 2
    for lock; do :; done
    while [ "$1" != --python ]; do shift; done
    venv=${2%/bin/python}
    [ "${UV_DIES-}" != sync ] || kill -KILL $$
    sed -n 's/^\([a-z-]*\)==\([^ ]*\).*/\1 \2/p' "$lock" | while read -r name version; do
        info="$venv/lib/python3.12/site-packages/$(echo "$name" | tr - _)-$version.dist-info"
        mkdir "$info"
        printf 'Name: %s\nVersion: %s\n' "$name" "$version" > "$info/METADATA"
        printf '#!/bin/sh\necho "%s %s"\n' "$name" "$version" > "$venv/bin/$name"
        chmod +x "$venv/bin/$name"
        : > "$info/RECORD"
    done
    ;;
"venv --quiet")
    for venv; do :; done
    rm -rf "$venv"
    mkdir -p "$venv/bin" "$venv/lib/python3.12/site-packages"
    printf 'home = /usr/bin\nversion_info = 3.12.1\n' > "$venv/pyvenv.cfg"
    ln -s /bin/sh "$venv/bin/python"
    ;;
*)
    exit 64
    ;;
esac
"##;

impl Project {
    /// The same world with a made-up `uv` on its `PATH`.
    #[must_use]
    pub(crate) fn with_uv(&self) -> Self {
        let folder = self.world().join("uv");
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("uv");
        std::fs::write(&program, SCRIPT).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, mode).unwrap();
        let path = format!("{}:{}", folder.display(), self.variable("PATH"));
        let calls = folder.join("calls");
        self.env("PATH", &path).env("UV_CALLS", calls.to_str().unwrap())
    }

    /// The calls of the made-up `uv` since this was last asked, by their first two words.
    pub(crate) fn uv_calls(&self) -> Vec<String> {
        let short = |call: &String| call.split(' ').take(2).collect::<Vec<_>>().join(" ");
        self.uv_calls_in_full().iter().map(short).collect()
    }

    /// The same, with all of their arguments.
    pub(crate) fn uv_calls_in_full(&self) -> Vec<String> {
        let path = self.world().join("uv/calls");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        drop(std::fs::remove_file(path));
        text.lines().map(str::to_owned).collect()
    }
}
