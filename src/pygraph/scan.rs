//! One source file → what it imports. Pure.

use ruff_python_ast::{Alias, ElifElseClause, ExceptHandler, Expr, Stmt, UnaryOp};
use ruff_python_ast::{BoolOp, token::TokenKind};
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{nesting, source};

/// What a file imports, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scan {
    /// In the order of the file.
    pub(super) imports: Vec<Import>,
    /// The first syntax error.
    pub(super) error: Option<Broken>,
}

/// One imported name. `import a.b` and `from a.b import *` have no `name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// How many packages up it begins; 0 is absolute.
    pub(super) level: u32,
    /// Dotted, as written.
    pub(super) module: String,
    pub(super) name: Option<String>,
    pub(super) line: u32,
    pub(super) column: u32,
    /// Only type checkers see it.
    pub(super) is_type_checking: bool,
    /// The file copes with its absence.
    pub(super) is_optional: bool,
}

/// Why a file cannot be read as Python, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) message: String,
}

/// The imports of a file of these bytes.
pub(super) fn scan(bytes: &[u8]) -> Scan {
    let text = match source::decode(bytes) {
        Ok(text) => text,
        Err(error) => return Scan { imports: Vec::new(), error: Some(error) },
    };
    if let Some(line) = nesting::too_deep(&text) {
        let message = format!("it nests more than {} levels deep", nesting::LEVELS_MAX);
        return Scan { imports: Vec::new(), error: Some(Broken { line, column: 1, message }) };
    }
    let parsed = parse_unchecked(&text, ParseOptions::from(Mode::Module));
    let mut lines = Lines::new(&text);
    let error = parsed.errors().iter().min_by_key(|error| error.location.start()).map(|error| {
        let (line, column) = lines.at(error.location.start());
        Broken { line, column, message: error.error.to_string() }
    });
    let comments = if text.contains("qik:") {
        let tokens = parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment);
        Comments::new(&text, tokens.map(Ranged::range))
    } else {
        Comments::default()
    };
    let mut scanner =
        Scanner { lines: Lines::new(&text), ignored: &comments.ignored, imports: Vec::new() };
    if let ruff_python_ast::Mod::Module(module) = parsed.syntax() {
        scanner.body(&module.body, Nesting::default());
    }
    let mut imports = scanner.imports;
    imports.extend(comments.imports);
    Scan { imports, error: error.or(comments.error) }
}

/// What surrounds a statement.
#[derive(Debug, Clone, Copy, Default)]
struct Nesting {
    is_type_checking: bool,
    is_optional: bool,
}

struct Scanner<'t> {
    lines: Lines<'t>,
    /// Lines with a comment that takes imports out.
    ignored: &'t [u32],
    imports: Vec<Import>,
}

impl Scanner<'_> {
    fn body(&mut self, statements: &[Stmt], nesting: Nesting) {
        for statement in statements {
            self.statement(statement, nesting);
        }
    }

    fn statement(&mut self, statement: &Stmt, nesting: Nesting) {
        match statement {
            Stmt::Import(import) => {
                for alias in &import.names {
                    let module = alias.name.as_str().to_owned();
                    self.note(import.range, alias, (0, module, None), nesting);
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                for alias in &import.names {
                    let name = Some(alias.name.as_str()).filter(|name| *name != "*");
                    let what = (import.level, module.to_owned(), name.map(str::to_owned));
                    self.note(import.range, alias, what, nesting);
                }
            }
            Stmt::FunctionDef(def) => self.body(&def.body, nesting),
            Stmt::ClassDef(def) => self.body(&def.body, nesting),
            Stmt::With(with) => self.body(&with.body, nesting),
            Stmt::For(each) => {
                self.body(&each.body, nesting);
                self.body(&each.orelse, nesting);
            }
            Stmt::While(each) => {
                self.body(&each.body, nesting);
                self.body(&each.orelse, nesting);
            }
            Stmt::Match(cases) => {
                for case in &cases.cases {
                    self.body(&case.body, nesting);
                }
            }
            Stmt::If(branch) => {
                self.branches(&branch.test, &branch.body, &branch.elif_else_clauses, nesting);
            }
            Stmt::Try(block) => {
                let is_optional = block.handlers.iter().any(catches_import_error);
                let inner = Nesting { is_optional: nesting.is_optional || is_optional, ..nesting };
                self.body(&block.body, inner);
                for ExceptHandler::ExceptHandler(handler) in &block.handlers {
                    self.body(&handler.body, nesting);
                }
                self.body(&block.orelse, nesting);
                self.body(&block.finalbody, nesting);
            }
            _ => {}
        }
    }

    /// What follows a test of `TYPE_CHECKING` runs if it is false, and the other way round.
    fn branches(
        &mut self,
        test: &Expr,
        body: &[Stmt],
        clauses: &[ElifElseClause],
        nesting: Nesting,
    ) {
        let flagged =
            |is: bool| Nesting { is_type_checking: nesting.is_type_checking || is, ..nesting };
        let mut is_rest_checking = false;
        let first = (Some(test), body);
        let rest = clauses.iter().map(|clause| (clause.test.as_ref(), clause.body.as_slice()));
        for (test, body) in std::iter::once(first).chain(rest) {
            let meaning = test.map_or(Meaning::Other, meaning);
            self.body(body, flagged(is_rest_checking || meaning == Meaning::TypeChecking));
            is_rest_checking |= meaning == Meaning::Running;
        }
    }

    fn note(
        &mut self,
        statement: TextRange,
        alias: &Alias,
        (level, module, name): (u32, String, Option<String>),
        nesting: Nesting,
    ) {
        let (line, column) = self.lines.at(statement.start());
        if !self.ignored.is_empty() {
            let mut lines = self.lines.clone();
            let own = lines.at(alias.range().start()).0;
            let last = lines.at(statement.end()).0;
            if [line, own, last].iter().any(|line| self.ignored.contains(line)) {
                return;
            }
        }
        if level == 0 && module.is_empty() {
            // What is left of a statement with a syntax error.
            return;
        }
        let Nesting { is_type_checking, is_optional } = nesting;
        self.imports.push(Import {
            level,
            module,
            name,
            line,
            column,
            is_type_checking,
            is_optional,
        });
    }
}

/// What it means that a test holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A type checker reads it.
    TypeChecking,
    /// It runs; if it doesn't hold, a type checker reads it.
    Running,
    Other,
}

fn meaning(test: &Expr) -> Meaning {
    match test {
        Expr::Name(name) if name.id.as_str() == "TYPE_CHECKING" => Meaning::TypeChecking,
        Expr::Attribute(attribute) if attribute.attr.as_str() == "TYPE_CHECKING" => {
            Meaning::TypeChecking
        }
        Expr::UnaryOp(unary) if unary.op == UnaryOp::Not => match meaning(&unary.operand) {
            Meaning::TypeChecking => Meaning::Running,
            Meaning::Running => Meaning::TypeChecking,
            Meaning::Other => Meaning::Other,
        },
        Expr::BoolOp(chain) => {
            let decisive = match chain.op {
                BoolOp::And => Meaning::TypeChecking,
                BoolOp::Or => Meaning::Running,
            };
            let is_decided = chain.values.iter().any(|value| meaning(value) == decisive);
            if is_decided { decisive } else { Meaning::Other }
        }
        _ => Meaning::Other,
    }
}

fn catches_import_error(handler: &ExceptHandler) -> bool {
    let ExceptHandler::ExceptHandler(handler) = handler;
    let is_one = |expr: &Expr| {
        let name = match expr {
            Expr::Name(name) => name.id.as_str(),
            Expr::Attribute(attribute) => attribute.attr.as_str(),
            _ => return false,
        };
        matches!(name, "ImportError" | "ModuleNotFoundError" | "Exception" | "BaseException")
    };
    match handler.type_.as_deref() {
        None => true,
        Some(Expr::Tuple(tuple)) => tuple.elts.iter().any(is_one),
        Some(expr) => is_one(expr),
    }
}

/// What comments say to qik.
#[derive(Debug, Default)]
struct Comments {
    ignored: Vec<u32>,
    imports: Vec<Import>,
    error: Option<Broken>,
}

impl Comments {
    fn new(text: &str, ranges: impl Iterator<Item = TextRange>) -> Self {
        let mut found = Self::default();
        let mut lines = Lines::new(text);
        for range in ranges {
            let comment = text.get(range.start().to_usize()..range.end().to_usize());
            let words = comment.unwrap_or_default().trim_start_matches('#').trim();
            let Some(words) = words.strip_prefix("qik:").map(str::trim) else { continue };
            let place = lines.at(range.start());
            if words == "ignore" {
                found.ignored.push(place.0);
            } else if let Some(names) = words.strip_prefix("import ") {
                found.add(names, place);
            }
        }
        found
    }

    /// `a.b, .c` as if they were imported here.
    fn add(&mut self, names: &str, (line, column): (u32, u32)) {
        for name in names.split(',').map(str::trim) {
            let module = name.trim_start_matches('.');
            let is_name = |part: &str| !part.is_empty() && part.chars().all(is_of_name);
            if !module.split('.').all(is_name) {
                let message = format!("`{name}` cannot be imported: it is no name of a module");
                self.error.get_or_insert(Broken { line, column, message });
                continue;
            }
            self.imports.push(Import {
                level: u32::try_from(name.len() - module.len()).unwrap_or(u32::MAX),
                module: module.to_owned(),
                name: None,
                line,
                column,
                is_type_checking: false,
                is_optional: false,
            });
        }
    }
}

fn is_of_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// Lines and columns of offsets, from 1; quick where the offsets ascend.
#[derive(Debug, Clone)]
struct Lines<'t> {
    text: &'t str,
    offset: usize,
    line: u32,
}

impl<'t> Lines<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, offset: 0, line: 1 }
    }

    fn at(&mut self, offset: TextSize) -> (u32, u32) {
        let offset = offset.to_usize().min(self.text.len());
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        let bytes = self.text.as_bytes();
        self.line += count_lines(&bytes[self.offset..offset]);
        self.offset = offset;
        let begin = bytes[..offset].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = self.text.get(begin..offset).map_or(0, |before| before.chars().count());
        (self.line, u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1))
    }
}

fn count_lines(bytes: &[u8]) -> u32 {
    // In two steps, since a sum of bytes is what the compiler makes quick code of.
    let count: usize = bytes
        .chunks(255)
        .map(|chunk| usize::from(chunk.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>()))
        .sum();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
