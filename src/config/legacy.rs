//! 0.1's spellings lowered to 0.2's, in the tree, before anybody else sees them. Pure.
//!
//! What is moved keeps its place, so that an error in it points at what the user wrote. Values
//! of the wrong type are left for the decoder to refuse. Some spellings are not handled here:
//! profiles (`ctx` as a table, beside which the variables are in `vars`) and `type = "module"`
//! have no counterpart in 0.2, and `{module.imp}`, `{module.path}` and `{ctx.project.X}` are
//! fields of templates.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use super::decoder::Decoder;
use super::document::{Key, Node, Table};
use super::tree::{append, enter, items_mut, key, string, table_mut, take};
use crate::error::{Code, Diagnostic};

/// 0.1's name of the import graph's plugin, and ours.
const GRAPH_PLUGIN: (&str, &str) = ("qik.graph", "qik.pygraph");

/// Lowers a project's file.
pub(super) fn lower_project(table: &mut Table<'_>, decoder: &mut Decoder<'_>) {
    lower_commands(table, decoder);
    if let Some((key, mut node)) = take(table, "modules") {
        items_mut(&mut node).iter_mut().for_each(lower_module);
        if let Some(spaces) = enter(table, "spaces", key.span())
            && let Some(space) = enter_space(spaces, "default", key.span())
        {
            append(space, key, node);
        }
    }
    if let Some((key, node)) = take(table, "deps")
        && let Some(base) = enter(table, "base", key.span())
    {
        append(base, key, node);
    }
    lower_plugins(table, decoder);
    lower_venvs(table, decoder);
    lower_graph(table, decoder);
    lower_pydist(table);
    let modules = match table.get_mut("base") {
        Some(base) => lower_deps_of(base),
        None => None,
    };
    let modules = modules.or_else(|| module_dep(table));
    if let Some(span) = modules {
        enter_pygraph(table, &span);
    }
    if let Some(DeValue::Table(defaults)) = table.get_mut("defaults").map(Spanned::get_mut) {
        lower_cache_when(defaults);
    }
}

/// Takes the list of variables out, which 0.2 has under `ctx`.
pub(super) fn take_vars<'t>(table: &mut Table<'t>) -> Option<Node<'t>> {
    take(table, "vars").map(|(_, node)| node)
}

/// Lowers the commands of any file: `[command.x]`, and 0.1's words within commands.
pub(super) fn lower_commands(table: &mut Table<'_>, decoder: &mut Decoder<'_>) {
    if let Some((key, node)) = take(table, "command") {
        merge_commands(table, key.span(), node, decoder);
    }
    let commands = table.get_mut("commands").map(Spanned::get_mut);
    let Some(DeValue::Table(commands)) = commands else { return };
    for (_, command) in commands.iter_mut() {
        lower_deps_of(command);
        if let DeValue::Table(command) = command.get_mut() {
            lower_cache_when(command);
        }
    }
}

/// `[command.x]` is `[commands.x]`; the same name under both is an error.
fn merge_commands<'t>(
    table: &mut Table<'t>,
    span: Range<usize>,
    node: Node<'t>,
    decoder: &mut Decoder<'_>,
) {
    if !node.get_ref().is_table() {
        decoder.reject_type(&node, "`command`", "a table");
    }
    let DeValue::Table(added) = node.into_inner() else { return };
    let Some(commands) = enter(table, "commands", span) else { return };
    for (name, command) in added {
        if commands.contains_key(name.get_ref().as_ref()) {
            let message = format!("the command `{}` is declared twice", name.get_ref());
            let hint = "`[command.…]` and `[commands.…]` mean the same";
            decoder.reject(Diagnostic::new(Code::NameInvalid, message).hint(hint), name.span());
        } else {
            commands.insert(name, command);
        }
    }
}

/// `my.module.a` is the folder `my/module/a`, under the name as written.
fn lower_module(node: &mut Node<'_>) {
    let span = node.span();
    match node.get_mut() {
        DeValue::String(name) => {
            let Some(path) = dotted_path(name) else { return };
            let name = std::mem::take(name);
            let mut module = Table::new();
            module.insert(key("name", &span), Spanned::new(span.clone(), DeValue::String(name)));
            module.insert(key("path", &span), string(path, &span));
            *node.get_mut() = DeValue::Table(module);
        }
        DeValue::Table(module) => {
            if let Some(path) = module.get_mut("path")
                && let Some(dotted) = path.get_ref().as_str().and_then(dotted_path)
            {
                *path.get_mut() = DeValue::String(Cow::Owned(dotted));
            }
        }
        _ => {}
    }
}

/// The folder that a dotted path stands for. With a slash it is a folder already.
fn dotted_path(path: &str) -> Option<String> {
    let is_dotted = path.contains('.')
        && !path.contains(['/', '{'])
        && path.split('.').all(|part| !part.is_empty());
    is_dotted.then(|| path.replace('.', "/"))
}

/// `plugins = ["qik.graph", {name, path}]` is a table of names.
fn lower_plugins(table: &mut Table<'_>, decoder: &mut Decoder<'_>) {
    let Some(plugins) = table.get_mut("plugins") else { return };
    if let DeValue::Array(items) = plugins.get_ref() {
        let mut named = Table::new();
        for item in items {
            match plugin_item(item) {
                Some((name, path)) => drop(named.insert(name, path)),
                None => {
                    decoder.reject_type(
                        item,
                        "a plugin",
                        "a string or a table of `name` and `path`",
                    );
                }
            }
        }
        *plugins.get_mut() = DeValue::Table(named);
    }
    let DeValue::Table(plugins) = plugins.get_mut() else { return };
    for (_, plugin) in plugins.iter_mut() {
        let pyimport = match plugin.get_mut() {
            DeValue::Table(options) => options.get_mut("pyimport").map(Spanned::get_mut),
            other => Some(other),
        };
        if let Some(DeValue::String(pyimport)) = pyimport
            && pyimport == GRAPH_PLUGIN.0
        {
            *pyimport = Cow::Borrowed(GRAPH_PLUGIN.1);
        }
    }
}

/// The name and the path of a plugin in a list.
fn plugin_item<'t>(item: &Node<'t>) -> Option<(Key<'t>, Node<'t>)> {
    match item.get_ref() {
        DeValue::String(path) => Some((Spanned::new(item.span(), path.clone()), item.clone())),
        DeValue::Table(plugin) => {
            let name = plugin.get("name")?;
            let DeValue::String(text) = name.get_ref() else { return None };
            Some((Spanned::new(name.span(), text.clone()), plugin.get("path")?.clone()))
        }
        _ => None,
    }
}

/// `[venvs.NAME] lock-file` is the lock of the space's environment.
fn lower_venvs(table: &mut Table<'_>, decoder: &mut Decoder<'_>) {
    let Some((_, node)) = take(table, "venvs") else { return };
    let DeValue::Table(venvs) = node.get_ref() else {
        decoder.reject_type(&node, "`venvs`", "a table");
        return;
    };
    let venvs = venvs.clone();
    for (name, venv) in venvs {
        let span = name.span();
        let Some(spaces) = enter(table, "spaces", span.clone()) else { return };
        let Some(space) = enter_space(spaces, name.get_ref(), span.clone()) else { continue };
        let venv_span = venv.span();
        let mut lowered = match venv.into_inner() {
            DeValue::Table(venv) => venv,
            other => {
                space.insert(key("venv", &span), Spanned::new(venv_span, other));
                continue;
            }
        };
        if let Some((key_written, files)) = take(&mut lowered, "lock-file") {
            // Several lock files are as good as several requirements: each is a dependency.
            let name = if files.get_ref().is_str() { "lock" } else { "reqs" };
            lowered.insert(key(name, &key_written.span()), files);
        }
        if !lowered.contains_key("type") {
            lowered.insert(key("type", &span), string("active", &span));
        }
        space.insert(key("venv", &span), Spanned::new(venv_span, DeValue::Table(lowered)));
    }
}

/// `[graph]` is the options of the import graph's plugin, and what `[pydist]` says of imports.
fn lower_graph(table: &mut Table<'_>, decoder: &mut Decoder<'_>) {
    let Some((written, node)) = take(table, "graph") else { return };
    let DeValue::Table(graph) = node.get_ref() else {
        decoder.reject_type(&node, "`graph`", "a table");
        return;
    };
    let mut graph = graph.clone();
    for (old, new) in
        [("ignore-missing-module-dists", "ignore-missing-modules"), ("module-dists", "modules")]
    {
        if let Some((key_written, node)) = take(&mut graph, old)
            && let Some(pydist) = enter(table, "pydist", key_written.span())
        {
            pydist.insert(key(new, &key_written.span()), node);
        }
    }
    if let Some((key_written, node)) = take(&mut graph, "ignore-dists") {
        graph.insert(key("ignore-pydists", &key_written.span()), node);
    }
    if let Some(options) = enter_pygraph(table, &written.span()) {
        for (name, node) in graph {
            options.insert(name, node);
        }
    }
}

/// `dist-versions`, `pydist-versions` and `ignore-missing-dists` belong to `[pydist]`.
fn lower_pydist(table: &mut Table<'_>) {
    for (old, new) in [
        ("dist-versions", "versions"),
        ("pydist-versions", "versions"),
        ("ignore-missing-dists", "ignore-missing"),
    ] {
        if let Some((written, node)) = take(table, old)
            && let Some(pydist) = enter(table, "pydist", written.span())
        {
            pydist.insert(key(new, &written.span()), node);
        }
    }
}

/// The options of the import graph's plugin, which is added under its usual name if need be.
fn enter_pygraph<'a, 't>(
    table: &'a mut Table<'t>,
    span: &Range<usize>,
) -> Option<&'a mut Table<'t>> {
    let plugins = enter(table, "plugins", span.clone())?;
    let is_pygraph = |plugin: &Node<'_>| match plugin.get_ref() {
        DeValue::Table(options) => options
            .get("pyimport")
            .is_some_and(|pyimport| pyimport.get_ref().as_str() == Some(GRAPH_PLUGIN.1)),
        other => other.as_str() == Some(GRAPH_PLUGIN.1),
    };
    let configured = plugins.iter().find(|(_, plugin)| is_pygraph(plugin));
    let name = configured.map_or("pygraph".to_owned(), |(name, _)| name.get_ref().to_string());
    let plugin = plugins.entry(key(name, span)).or_insert_with(|| string(GRAPH_PLUGIN.1, span));
    if plugin.get_ref().is_str() {
        let pyimport = plugin.clone();
        let mut options = Table::new();
        options.insert(key("pyimport", span), pyimport);
        *plugin.get_mut() = DeValue::Table(options);
    }
    table_mut(plugin)
}

/// `{type = "dist"}` is `pydist`, in the deps of a command or of `base`. Gives the place of a
/// dep of `type = "module"`, if there is one.
fn lower_deps_of(owner: &mut Node<'_>) -> Option<Range<usize>> {
    let deps = table_mut(owner)?.get_mut("deps")?;
    lower_deps(deps)
}

fn lower_deps(deps: &mut Node<'_>) -> Option<Range<usize>> {
    let mut found = None;
    for dep in items_mut(deps) {
        let Some(dep) = table_mut(dep) else { continue };
        if let Some(default) = dep.get_mut("default") {
            found = found.or(lower_deps(default));
        }
        let Some(kind) = dep.get_mut("type") else { continue };
        match kind.get_ref().as_str() {
            Some("dist") => *kind.get_mut() = DeValue::String(Cow::Borrowed("pydist")),
            Some("module") => found = found.or(Some(kind.span())),
            Some(_) | None => {}
        }
    }
    found
}

/// The place of a command's dep of `type = "module"`.
fn module_dep(table: &mut Table<'_>) -> Option<Range<usize>> {
    let commands = table_mut(table.get_mut("commands")?)?;
    commands.iter_mut().find_map(|(_, command)| lower_deps_of(command))
}

/// `always` is `finished`.
fn lower_cache_when(table: &mut Table<'_>) {
    for name in ["cache-when", "cache_when"] {
        if let Some(DeValue::String(when)) = table.get_mut(name).map(Spanned::get_mut)
            && when == "always"
        {
            *when = Cow::Borrowed("finished");
        }
    }
}

/// The table of a space; its short form, a string or list, becomes its `venv`.
fn enter_space<'a, 't>(
    spaces: &'a mut Table<'t>,
    name: &str,
    span: Range<usize>,
) -> Option<&'a mut Table<'t>> {
    if let Some(space) = spaces.get_mut(name)
        && !space.get_ref().is_table()
    {
        let mut long = Table::new();
        long.insert(key("venv", &span), space.clone());
        *space.get_mut() = DeValue::Table(long);
    }
    enter(spaces, name, span)
}
