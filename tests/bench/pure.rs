//! What qik does without the disk, on the scale of a large monorepo: `cargo bench`.

#![expect(clippy::expect_used, reason = "a benchmark that cannot begin has nothing to say")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use qik::config::{self, ConfigFile, Project};
use qik::context::{Context, QikFields};
use qik::git::Patterns;
use qik::hash::{Digest, Document, Inputs, VERSION, diff};
use qik::plan::{self, Graph, Isolation, Planner};
use qik::space::Spaces;
use qik::sys::Env;
use qik::sys::veil::Veil;

const MODULE_COUNT: usize = 1_000;
const CHAIN_LENGTH: usize = 300;
const LAYER_COUNT: usize = 100;
const FILE_COUNT: usize = 20_000;

/// As many modules as a large company has, with two commands in each.
fn modules() -> String {
    let mut text = String::from("[spaces.default]\nmodules = [\n");
    for number in 0..MODULE_COUNT {
        let _ = writeln!(text, "  {{name = \"m{number:05}\", path = \"mods/m{number:05}\"}},");
    }
    text += "]\n[commands.lint]\nexec = \"lint {module.dir}\"\ndeps = [\"{module.dir}/**\"]\n";
    text += "[commands.test]\nexec = \"test {module.dir}\"\ndeps = [\"{module.dir}/**\", {type = \"command\", name = \"lint\"}]\n";
    text
}

/// Commands one after the other.
fn chain() -> String {
    let mut text = String::new();
    for number in 0..CHAIN_LENGTH {
        let _ = write!(text, "[commands.c{number}]\nexec = \"true\"\ndeps = [\"src/{number}.txt\"");
        if number > 0 {
            let _ = write!(text, ", {{type = \"command\", name = \"c{}\"}}", number - 1);
        }
        text += "]\n";
    }
    text
}

/// Layers of two commands, each of which needs both of the layer before: 2^100 ways through.
fn lattice() -> String {
    let mut text = String::new();
    for layer in 0..LAYER_COUNT {
        for side in ["a", "b"] {
            let _ = write!(text, "[commands.{side}{layer}]\nexec = \"true\"\ndeps = [\"src/x\"");
            if layer > 0 {
                let above = layer - 1;
                let _ = write!(text, ", {{type = \"command\", name = \"a{above}\"}}");
                let _ = write!(text, ", {{type = \"command\", name = \"b{above}\"}}");
            }
            text += "]\n";
        }
    }
    text
}

fn load(text: &str) -> Project {
    let read = |path: &str| Ok((path == "qik.toml").then(|| text.as_bytes().to_vec()));
    config::load(ConfigFile::QikToml, &read, 1).expect("a sound configuration")
}

fn plan(project: &Project) -> Graph {
    let declarations = &project.declarations;
    let (qik, veil) = (QikFields::default(), Veil::default());
    let context = Context::new(declarations, &Env::new(), None, qik, &veil).expect("a context");
    let spaces = Spaces::new(declarations);
    let planner = Planner::new(declarations, &spaces, &context);
    let candidates = declarations.commands.keys().map(|name| planner.expand(name));
    let candidates: Vec<_> = candidates.flat_map(|them| them.expect("candidates")).collect();
    plan::build(&planner, candidates, Isolation::Joined).expect("a graph")
}

fn configurations(criterion: &mut Criterion) {
    for (name, text) in [("modules", modules()), ("chain", chain()), ("lattice", lattice())] {
        let project = load(&text);
        criterion.bench_function(&format!("read the configuration/{name}"), |bencher| {
            bencher.iter(|| load(black_box(&text)));
        });
        let mut group = criterion.benchmark_group("plan");
        group.throughput(Throughput::Elements(plan(&project).runnables.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| plan(black_box(&project))));
        group.finish();
    }
}

fn paths() -> Vec<String> {
    let path = |number: usize| format!("mods/m{:05}/src/file{:02}.py", number / 20, number % 20);
    (0..FILE_COUNT).map(path).collect()
}

fn patterns(criterion: &mut Criterion) {
    let paths = paths();
    let mut group = criterion.benchmark_group("match patterns");
    group.throughput(Throughput::Elements(paths.len() as u64));
    for (name, texts) in [
        ("a folder", vec!["mods"]),
        ("by extension", vec![":(glob)**/*.py", ":(glob)**/*.pyi"]),
        ("with an exclude", vec!["mods/**/*.py", ":!mods/m00000"]),
    ] {
        let patterns = Patterns::parse(b"", texts).expect("patterns");
        group.bench_function(name, |bencher| {
            bencher.iter(|| paths.iter().filter(|path| patterns.matches(path.as_bytes())).count());
        });
    }
}

fn documents(criterion: &mut Criterion) {
    let document = |changed: usize| {
        let value =
            |number: usize| format!("100644 {:040x}", number + usize::from(number == changed));
        let files = paths().into_iter().enumerate().map(|(number, path)| (path, value(number)));
        Document { version: VERSION, inputs: Inputs::default(), files: files.collect() }
    };
    let (before, after) = (document(FILE_COUNT), document(FILE_COUNT / 2));
    let json = serde_json::to_vec(&before).expect("a document");
    let mut group = criterion.benchmark_group("explain");
    group.throughput(Throughput::Elements(FILE_COUNT as u64));
    group.bench_function("compare", |bencher| {
        bencher.iter(|| diff(black_box(&before), black_box(&after)));
    });
    group.bench_function("read", |bencher| {
        bencher.iter_batched(
            || json.clone(),
            |json| serde_json::from_slice::<Document>(&json).expect("a document"),
            BatchSize::LargeInput,
        );
    });
    group.bench_function("digest", |bencher| bencher.iter(|| Digest::of(black_box(&json))));
}

criterion_group!(benches, configurations, patterns, documents);
criterion_main!(benches);
