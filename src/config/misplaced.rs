//! Template fields where they cannot be: of a module where there is none, of a secret where its
//! value would be shown or kept. Pure.

use std::collections::BTreeSet;

use super::braces::{self, Piece};
use super::schema::{
    CacheKind, Command, Constraint, Declarations, Dep, Fence, FenceItem, PluginKind, S3, Text, Venv,
};
use crate::error::{Code, Diagnostic};

/// The `{module…}` fields that can never have a value: a command has a module only if its `exec`
/// names it, and nothing but a command has one.
pub(super) fn find(declarations: &Declarations) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for command in declarations.commands.values() {
        if !braces::names_module(&command.exec.value) {
            let hint = "name the module in `exec` too, to run the command for each module";
            let texts = texts_of_command(command);
            diagnostics.extend(texts.into_iter().filter_map(|text| misplaced(text, hint)));
        }
    }
    let hint = "only commands have a module";
    let mut texts = Vec::new();
    declarations.base_deps.iter().for_each(|dep| push_dep(dep, &mut texts));
    push_defaults(declarations, &mut texts);
    for cache in declarations.caches.values() {
        let CacheKind::S3(s3) = &cache.kind;
        push_s3(s3, &mut texts);
    }
    push_spaces(declarations, &mut texts);
    push_plugins(declarations, &mut texts);
    diagnostics.extend(texts.into_iter().filter_map(|text| misplaced(text, hint)));
    diagnostics.extend(exposed(declarations));
    diagnostics
}

/// The `{ctx.…}` fields of secrets where their values would be the names of files, or of anything
/// else that is shown and kept.
fn exposed(declarations: &Declarations) -> Vec<Diagnostic> {
    let secrets = declarations.vars.iter().filter(|var| var.is_secret);
    let secrets: BTreeSet<&str> = secrets.map(|var| var.name.value.as_str()).collect();
    if secrets.is_empty() {
        return Vec::new();
    }
    let mut texts = Vec::new();
    for command in declarations.commands.values() {
        texts.extend(texts_of_command(command));
    }
    declarations.base_deps.iter().for_each(|dep| push_dep(dep, &mut texts));
    push_defaults(declarations, &mut texts);
    for cache in declarations.caches.values() {
        let CacheKind::S3(s3) = &cache.kind;
        push_s3_places(s3, &mut texts);
    }
    push_spaces(declarations, &mut texts);
    push_plugins(declarations, &mut texts);
    let mut may_be_secret = Vec::new();
    let deps = declarations.commands.values().flat_map(|command| &command.deps);
    deps.chain(&declarations.base_deps).for_each(|dep| push_consts(dep, &mut may_be_secret));
    for plugin in declarations.plugins.values() {
        if let PluginKind::Uv(options) = &plugin.kind {
            // uv gets them by its environment, and what is hashed is the template.
            may_be_secret
                .extend([&options.index_url, &options.extra_index_url].into_iter().flatten());
        }
    }
    texts.retain(|text| !may_be_secret.iter().any(|other| std::ptr::eq(*other, *text)));
    texts.into_iter().filter_map(|text| exposing(text, &secrets)).collect()
}

fn exposing(text: &Text, secrets: &BTreeSet<&str>) -> Option<Diagnostic> {
    let pieces = braces::parse_pieces(&text.value);
    let name = pieces.iter().find_map(|piece| {
        let Piece::Ctx(path) = piece else { return None };
        let name = path.strip_prefix("project.").unwrap_or(path);
        secrets.contains(name).then_some(name)
    })?;
    let message = format!("`{name}` is a secret, which would be seen here");
    let hint = "a secret can stand in `exec`, in a `const` dep, in the credentials of a cache and in the `index-url` of uv";
    Some(Diagnostic::new(Code::TemplateMisplaced, message).hint(hint).at(&text.place))
}

fn push_consts<'d>(dep: &'d Dep, texts: &mut Vec<&'d Text>) {
    match dep {
        Dep::Const(text) => texts.push(text),
        Dep::Load { default, .. } => {
            default.iter().flatten().for_each(|dep| push_consts(dep, texts));
        }
        _ => {}
    }
}

fn misplaced(text: &Text, hint: &str) -> Option<Diagnostic> {
    braces::names_module(&text.value).then(|| {
        let message = format!("`{}` names a module where there is none", text.value);
        Diagnostic::new(Code::TemplateMisplaced, message).hint(hint).at(&text.place)
    })
}

/// All texts of a command but its `exec`.
fn texts_of_command(command: &Command) -> Vec<&Text> {
    let mut texts = Vec::new();
    command.deps.iter().for_each(|dep| push_dep(dep, &mut texts));
    texts.extend(&command.artifacts);
    texts.extend(&command.cache);
    texts.extend(&command.space);
    texts
}

fn push_dep<'d>(dep: &'d Dep, texts: &mut Vec<&'d Text>) {
    match dep {
        Dep::Glob(text)
        | Dep::Const(text)
        | Dep::Command { name: text, .. }
        | Dep::Pydist(text)
        | Dep::Pygraph(text)
        | Dep::PygraphOfModule(text) => texts.push(text),
        Dep::Load { path, default } => {
            texts.push(path);
            default.iter().flatten().for_each(|dep| push_dep(dep, texts));
        }
    }
}

fn push_defaults<'d>(declarations: &'d Declarations, texts: &mut Vec<&'d Text>) {
    let defaults = &declarations.defaults;
    texts.extend(&defaults.cache);
    texts.extend(&defaults.python_path);
    texts.extend(&defaults.dotenv);
    push_venv(defaults.venv.as_ref(), texts);
}

fn push_s3<'d>(s3: &'d S3, texts: &mut Vec<&'d Text>) {
    push_s3_places(s3, texts);
    let credentials = [&s3.aws_access_key_id, &s3.aws_secret_access_key, &s3.aws_session_token];
    texts.extend(credentials.into_iter().flatten());
}

/// All options but the credentials.
fn push_s3_places<'d>(s3: &'d S3, texts: &mut Vec<&'d Text>) {
    texts.push(&s3.bucket);
    let options = [&s3.prefix, &s3.region_name, &s3.endpoint_url, &s3.mode, &s3.timeout];
    texts.extend(options.into_iter().flatten());
}

fn push_spaces<'d>(declarations: &'d Declarations, texts: &mut Vec<&'d Text>) {
    for space in declarations.spaces.values() {
        push_venv(space.venv.as_ref(), texts);
        texts.extend(space.dotenv.iter().flatten());
        texts.extend(&space.root);
        if let Some(Fence::Items(items)) = &space.fence {
            texts.extend(items.iter().map(|item| match item {
                FenceItem::Path(text) | FenceItem::Space(text) => text,
            }));
        }
    }
}

fn push_venv<'d>(venv: Option<&'d Venv>, texts: &mut Vec<&'d Text>) {
    match venv {
        Some(Venv::Reqs(reqs)) => texts.extend(reqs),
        Some(Venv::Active { reqs, lock }) => {
            texts.extend(reqs);
            texts.extend(lock);
        }
        Some(Venv::Uv { reqs, lock, constraint, python }) => {
            texts.extend(reqs);
            texts.extend([lock, python].into_iter().flatten());
            push_constraint(constraint.as_ref(), texts);
        }
        Some(Venv::Space(name)) => texts.push(name),
        None => {}
    }
}

fn push_constraint<'d>(constraint: Option<&'d Constraint>, texts: &mut Vec<&'d Text>) {
    if let Some(Constraint::File(text) | Constraint::Space(text)) = constraint {
        texts.push(text);
    }
}

fn push_plugins<'d>(declarations: &'d Declarations, texts: &mut Vec<&'d Text>) {
    for plugin in declarations.plugins.values() {
        match &plugin.kind {
            PluginKind::Pygraph(options) => {
                let caches = [
                    &options.cache,
                    &options.build_cache,
                    &options.lock_cache,
                    &options.check_cache,
                ];
                texts.extend(caches.into_iter().flatten());
            }
            PluginKind::Uv(options) => {
                let given =
                    [&options.python, &options.index_url, &options.extra_index_url, &options.cache];
                texts.extend(given.into_iter().flatten());
                push_constraint(options.constraint.as_ref(), texts);
            }
            PluginKind::S3 => {}
        }
    }
}
