//! Texts with fields: parsed once, rendered for each runnable. Pure.

use super::Context;
use crate::config::{Piece, parse_pieces};
use crate::error::{Code, Diagnostic};

/// The fields of a module, the first for `{module}` alone.
const MODULE_FIELDS: &[&str] = &["name", "dir", "pyimport"];

/// A text, perhaps with fields in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// What the fields of a template stand for.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub context: &'a Context,
    pub module: Option<ModuleFields<'a>>,
}

/// What `{module.…}` stands for.
#[derive(Debug, Clone, Copy)]
pub struct ModuleFields<'a> {
    pub name: &'a str,
    /// The folder, relative to the project root.
    pub dir: &'a str,
    /// The dotted path, relative to the Python path.
    pub pyimport: &'a str,
}

impl Template {
    pub fn parse(text: &str) -> Self {
        Self { pieces: parse_pieces(text) }
    }

    /// The secret variables that it has fields of.
    pub fn secrets<'a>(&self, context: &'a Context) -> impl Iterator<Item = &'a str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Ctx(path) => context.secret(path),
            Piece::Literal(_) | Piece::Module(_) => None,
        })
    }

    /// The text with values for its fields. The error is about the first field that has none; it
    /// has no place.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, Diagnostic> {
        let mut length = 0;
        for piece in &self.pieces {
            length += scope.value(piece)?.len();
        }
        let mut text = String::with_capacity(length);
        for piece in &self.pieces {
            text.push_str(scope.value(piece)?);
        }
        Ok(text)
    }
}

impl Scope<'_> {
    fn value<'s>(&'s self, piece: &'s Piece) -> Result<&'s str, Diagnostic> {
        match piece {
            Piece::Literal(literal) => Ok(literal),
            Piece::Ctx(path) => self.context.value(path),
            Piece::Module(field) => module_field(self.module, field),
        }
    }
}

fn module_field<'a>(module: Option<ModuleFields<'a>>, field: &str) -> Result<&'a str, Diagnostic> {
    let is_known = matches!(field, "" | "imp" | "path") || MODULE_FIELDS.contains(&field);
    if !is_known {
        let message = format!("`{{module.{field}}}` names nothing");
        return Err(Diagnostic::new(Code::TemplateMisplaced, message)
            .did_you_mean(field, MODULE_FIELDS.iter().copied())
            .hint("a module has `{module.name}`, `{module.dir}` and `{module.pyimport}`"));
    }
    let Some(module) = module else {
        let field = if field.is_empty() { String::new() } else { format!(".{field}") };
        let message = format!("`{{module{field}}}` names a module where there is none");
        return Err(Diagnostic::new(Code::TemplateMisplaced, message));
    };
    Ok(match field {
        "dir" | "path" => module.dir,
        "pyimport" | "imp" => module.pyimport,
        _ => module.name,
    })
}
