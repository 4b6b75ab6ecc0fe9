//! The commands of the model: each is a function of its declared deps, and prints all of them.

use super::Dice;
use crate::support::{Bucket, Project};

/// Patterns that a command may have.
const PATTERNS: &[&str] =
    &["*.txt", "a.txt", "sub", "sub/*.txt", "d", "d/x.txt", "*.md", ":!sub/deep", "with space.txt"];

/// One command of the configuration.
#[derive(Debug, Clone)]
struct Command {
    name: &'static str,
    patterns: Vec<&'static str>,
    /// A number that is hashed and printed.
    salt: usize,
    /// It ends with the length of what it prints modulo this.
    divisor: usize,
    cache: &'static str,
    cache_when: &'static str,
    /// It makes files; of the second kind, ones that git tracks.
    makes: Option<&'static str>,
    /// It reads what this one makes.
    upstream: Option<&'static str>,
    is_strict: bool,
    has_modules: bool,
}

/// All commands of a configuration.
#[derive(Debug, Clone)]
pub(super) struct Commands(Vec<Command>);

impl Commands {
    pub(super) fn new(dice: &mut Dice) -> Self {
        let command = |name, dice: &mut Dice| {
            let mut patterns = vec![dice.one_of(&PATTERNS[..7]), dice.one_of(&PATTERNS[..7])];
            if dice.roll(3) == 0 {
                patterns.push(dice.one_of(&PATTERNS[7..]));
            }
            Command {
                name,
                patterns,
                salt: dice.roll(2),
                divisor: [1, 1, 3][dice.roll(3)],
                cache: dice.one_of(&["local", "local", "repo", "remote", "none"]),
                cache_when: dice.one_of(&["success", "finished", "failed"]),
                makes: None,
                upstream: None,
                is_strict: false,
                has_modules: false,
            }
        };
        let made = Command { makes: Some("out/made"), ..command("made", dice) };
        let kept = Command { makes: Some("gen/kept"), ..command("kept", dice) };
        // Mostly what the upstream makes, so that nothing else makes it run.
        let reader = Command {
            patterns: vec!["*.md"],
            cache: dice.one_of(&["local", "repo", "remote"]),
            cache_when: "finished",
            upstream: Some(dice.one_of(&["made", "kept"])),
            is_strict: dice.roll(2) == 0,
            ..command("reader", dice)
        };
        let each = Command { has_modules: true, ..command("each", dice) };
        // Where a rename leaves the contents in their order.
        let plain = Command {
            patterns: vec![dice.one_of(&["sub", "*.txt", "d"])],
            cache: "local",
            cache_when: "finished",
            ..command("plain", dice)
        };
        Self(vec![made, kept, reader, each, plain])
    }

    /// Writes `qik.toml`.
    pub(super) fn write(&self, project: &Project, bucket: &Bucket) {
        let mut text = format!("{}[spaces.default]\nmodules = ['sub', 'd']\n", bucket.toml(""));
        for command in &self.0 {
            text += &format!(
                "[commands.{}]\nexec = '''{}'''\ncache = '{}'\ncache-when = '{}'\ndeps = [{}",
                command.name,
                command.exec("{module.dir}"),
                command.cache,
                command.cache_when,
                command.globs("{module.dir}").map(|it| format!("'{it}', ")).collect::<String>(),
            );
            if let Some(upstream) = command.upstream {
                let strict = command.is_strict;
                text += &format!("{{type = 'command', name = '{upstream}', strict = {strict}}}");
            }
            text += "]\n";
            if let Some(folder) = command.makes {
                text += &format!("artifacts = ['{folder}']\n");
            }
        }
        if !project.exists("qik.toml") || project.read("qik.toml") != text {
            project.file("qik.toml", text);
        }
    }

    /// What to call qik with.
    pub(super) fn choose_args(&self, dice: &mut Dice) -> Vec<&'static str> {
        let mut args = match dice.roll(4) {
            0 => vec![self.0[dice.roll(self.0.len())].name],
            _ => Vec::new(),
        };
        args.extend(["-n", dice.one_of(&["1", "2"])]);
        if dice.roll(12) == 0 {
            args.push("--force");
        }
        args
    }

    /// All runnables, upstreams first: name, script, the folder it makes, whom it waits for.
    pub(super) fn runnables(&self) -> Vec<Runnable> {
        let mut all = Vec::new();
        for command in &self.0 {
            let modules: &[&str] = if command.has_modules { &["sub", "d"] } else { &[""] };
            for module in modules {
                let at = if module.is_empty() { String::new() } else { format!("#{module}") };
                all.push(Runnable {
                    name: format!("{}{at}", command.name),
                    exec: command.exec(module),
                    makes: command.makes,
                    upstream: command.upstream,
                });
            }
        }
        all
    }

    /// Whether a result with this code is kept.
    pub(super) fn is_kept(&self, runnable: &str, code: i32) -> bool {
        let name = runnable.split('#').next().unwrap();
        let command = self.0.iter().find(|it| it.name == name).unwrap();
        let is_covered = match command.cache_when {
            "success" => code == 0,
            "failed" => code != 0,
            _ => true,
        };
        is_covered && command.cache != "none"
    }
}

/// A command made concrete.
#[derive(Debug)]
pub(super) struct Runnable {
    pub(super) name: String,
    pub(super) exec: String,
    pub(super) makes: Option<&'static str>,
    pub(super) upstream: Option<&'static str>,
}

impl Command {
    fn globs<'a>(&'a self, module: &'a str) -> impl Iterator<Item = String> + 'a {
        let own = self.has_modules.then(|| module.to_owned());
        self.patterns.iter().map(|it| (*it).to_owned()).chain(own)
    }

    fn exec(&self, module: &str) -> String {
        let globs: String = self.globs(module).map(|it| format!(" \"{it}\"")).collect();
        let read = self.upstream.map_or(String::new(), |upstream| match upstream {
            "made" => "out/made/text".to_owned(),
            _ => "gen/kept/text".to_owned(),
        });
        let Self { name, salt, divisor, .. } = self;
        let makes = self.makes.unwrap_or_default();
        format!("exec sh \"$SHOW\" {name} {salt} {divisor} \"{makes}\" \"{read}\"{globs}")
    }
}

/// What the commands run: prints the tracked files that patterns match, as they lie on disk.
pub(super) const SHOW: &str = r#"
name=$1 salt=$2 divisor=$3 makes=$4 read=$5
shift 5
show() {
    echo "$name $salt"
    last=
    git -c core.quotePath=off ls-files -- "$@" | while IFS= read -r path; do
        [ "$path" != "$last" ] || continue
        last=$path
        if [ -L "$path" ]; then
            echo "$path -> $(readlink "$path")"
        elif [ -f "$path" ]; then
            mode=; [ ! -x "$path" ] || mode=x
            echo "$path $mode"
            while IFS= read -r line || [ -n "$line" ]; do echo "  $line"; done < "$path"
        fi
    done
    [ -z "$read" ] || while IFS= read -r line; do echo "< $line"; done < "$read"
}
text=$(show "$@")
echo "$text"
if [ -n "$makes" ]; then
    rm -rf "$makes"
    mkdir -p "$makes/empty"
    echo "$text" > "$makes/text"
    echo "${#text}" > "$makes/run"
    [ $((${#text} % 2)) = 0 ] || chmod 755 "$makes/run"
    ln -s "to-${#text}" "$makes/link"
fi
exit $((${#text} % divisor))
"#;
