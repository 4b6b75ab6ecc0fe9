//! The syntax of templates: which braces of a text are fields, which are literal. Pure.
//!
//! Shell, awk and JSON are full of braces, and a text that Python's `str.format` would take must
//! mean what it means there. One rule does both. Braces are matched like brackets; then
//!
//! - `{ctx.…}`, `{module.…}` and `{module}` are fields, wherever they stand;
//! - `{{…}}`, two braces that close together as they opened together, are one literal pair; so
//!   are `{{` and `}}` that nothing matches one literal brace each;
//! - any other group stays as it is, and all within it but its fields: `{"a":{"b":1}}`,
//!   `${X:-{}}`, `awk '{print $1}'`;
//! - a brace that nothing matches stays as it is.
//!
//! Where every single brace belongs to a field, as `str.format` demands, this is its reading.

use std::borrow::Cow;

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text to be taken as it is.
    Literal(String),
    /// `{ctx.…}`: what follows `ctx.`.
    Ctx(String),
    /// `{module.…}`: what follows `module.`; nothing for `{module}`.
    Module(String),
}

/// The pieces of a template, in order. No two literals stand side by side.
pub fn parse_pieces(text: &str) -> Vec<Piece> {
    let braces = Braces::find(text);
    if braces.places.is_empty() {
        let literal = (!text.is_empty()).then(|| Piece::Literal(text.to_owned()));
        return literal.into_iter().collect();
    }
    let roles = braces.roles();
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut taken = 0;
    for (index, role) in roles.into_iter().enumerate() {
        let at = braces.places[index];
        match role {
            Role::Literal => {}
            Role::Dropped => {
                literal.push_str(&text[taken..at]);
                taken = at + 1;
            }
            Role::Field => {
                literal.push_str(&text[taken..at]);
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let end = braces.places[index + 1];
                pieces.extend(parse_field(&text[at + 1..end]));
                taken = end + 1;
            }
        }
    }
    literal.push_str(&text[taken..]);
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    pieces
}

/// Whether there is a brace in a text; one without stands for itself.
pub fn has_braces(text: &str) -> bool {
    memchr::memchr2(b'{', b'}', text.as_bytes()).is_some()
}

/// The text that a template without fields stands for; `None` if it has fields.
pub fn as_literal(text: &str) -> Option<Cow<'_, str>> {
    if !has_braces(text) {
        return Some(Cow::Borrowed(text));
    }
    match <[Piece; 1]>::try_from(parse_pieces(text)) {
        Ok([Piece::Literal(literal)]) => Some(Cow::Owned(literal)),
        Ok(_) | Err(_) => None,
    }
}

/// Whether a template has a `{module…}` field.
pub fn names_module(text: &str) -> bool {
    text.contains("{module")
        && parse_pieces(text).iter().any(|piece| matches!(piece, Piece::Module(_)))
}

/// The field that stands between two braces, if it is one.
fn parse_field(inside: &str) -> Option<Piece> {
    if let Some(path) = inside.strip_prefix("ctx.") {
        return Some(Piece::Ctx(path.to_owned()));
    }
    let field = inside.strip_prefix("module")?;
    if field.is_empty() {
        return Some(Piece::Module(String::new()));
    }
    field.strip_prefix('.').map(|field| Piece::Module(field.to_owned()))
}

/// What a brace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Part of the text.
    Literal,
    /// The second of a doubled brace.
    Dropped,
    /// Opens a field; the brace after it closes it.
    Field,
}

/// The braces of a text.
struct Braces<'t> {
    text: &'t str,
    /// Byte offsets.
    places: Vec<usize>,
    /// Index of the brace that matches.
    partners: Vec<Option<usize>>,
}

impl<'t> Braces<'t> {
    fn find(text: &'t str) -> Self {
        let places: Vec<usize> = memchr::memchr2_iter(b'{', b'}', text.as_bytes()).collect();
        let mut partners = vec![None; places.len()];
        let mut open = Vec::new();
        for (index, at) in places.iter().enumerate() {
            if text.as_bytes()[*at] == b'{' {
                open.push(index);
            } else if let Some(partner) = open.pop() {
                partners[partner] = Some(index);
                partners[index] = Some(partner);
            }
        }
        Self { text, places, partners }
    }

    fn roles(&self) -> Vec<Role> {
        let mut roles = vec![None; self.places.len()];
        for index in 0..roles.len() {
            if roles[index].is_some() {
                continue;
            }
            roles[index] = Some(Role::Literal);
            match self.partners[index] {
                None if self.is_doubled(index) => roles[index + 1] = Some(Role::Dropped),
                None => {}
                Some(close) if self.is_pair(index, close) => {
                    roles[index + 1] = Some(Role::Dropped);
                    roles[close - 1] = Some(Role::Literal);
                    roles[close] = Some(Role::Dropped);
                }
                Some(close) => {
                    for (at, role) in roles[index..=close].iter_mut().enumerate() {
                        *role = Some(self.role_in_group(index + at));
                    }
                }
            }
        }
        // Each index was set when the loop came by, if not before.
        roles.into_iter().flatten().collect()
    }

    /// Whether a brace that nothing matches is followed by another such, of the same kind.
    fn is_doubled(&self, index: usize) -> bool {
        self.is_adjacent(index)
            && self.partners[index + 1].is_none()
            && self.byte(index) == self.byte(index + 1)
    }

    /// Whether two matching braces are the outer half of `{{…}}`.
    fn is_pair(&self, open: usize, close: usize) -> bool {
        close > open + 1
            && self.partners[open + 1] == Some(close - 1)
            && self.is_adjacent(open)
            && self.is_adjacent(close - 1)
    }

    fn role_in_group(&self, index: usize) -> Role {
        let is_field = self.byte(index) == b'{'
            && self.partners[index] == Some(index + 1)
            && parse_field(&self.text[self.places[index] + 1..self.places[index + 1]]).is_some();
        if is_field { Role::Field } else { Role::Literal }
    }

    /// Whether the next brace is the next byte.
    fn is_adjacent(&self, index: usize) -> bool {
        self.places.get(index + 1).is_some_and(|next| *next == self.places[index] + 1)
    }

    fn byte(&self, index: usize) -> u8 {
        self.text.as_bytes()[self.places[index]]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Shows fields as `‹…›`, to tell them from text.
    fn show(piece: Piece) -> String {
        match piece {
            Piece::Literal(text) => text,
            Piece::Ctx(path) => format!("‹ctx.{path}›"),
            Piece::Module(field) => format!("‹module.{field}›"),
        }
    }

    fn shown(text: &str) -> String {
        parse_pieces(text).into_iter().map(show).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(shown(text), expected, "{text}");
    }

    #[test]
    fn fields_are_found() {
        check("a {ctx.a} b", "a ‹ctx.a› b");
        check("{ctx.qik.arch}", "‹ctx.qik.arch›");
        check("{module.dir}/**.py", "‹module.dir›/**.py");
        check("{module}", "‹module.›");
        check("{ctx.a}{ctx.b}", "‹ctx.a›‹ctx.b›");
        check("{ctx.no such}", "‹ctx.no such›");
    }

    #[test]
    fn doubled_braces_are_literal_ones() {
        check("{{ctx.a}} {ctx.a}", "{ctx.a} ‹ctx.a›");
        check("awk '{{print $2}}'", "awk '{print $2}'");
        check("{{{ctx.a}}}", "{‹ctx.a›}");
        check("{{{{a}}}}", "{{a}}");
        check("{{", "{");
        check("}}", "}");
        check("}}{{", "}{");
        check("{{}}", "{}");
        check("${{HOME}}", "${HOME}");
        check("{{x{ctx.a}}}", "{x‹ctx.a›}");
        check("{ctx.a}}}", "‹ctx.a›}");
    }

    #[test]
    fn shell_and_json_stay_as_they_are() {
        for text in [
            "awk '{print $1}'",
            "${HOME}",
            "find . -exec rm {} +",
            "xargs -I {} mv {} {}.bak",
            "{a,b}",
            "{{a,b},{c,d}}",
            r#"{"a":{"b":1}}"#,
            r#"{"a":{"b":{"c":{}}}}"#,
            "${X:-{y}}",
            "${FOO:-{}}",
            "${X:-{{y}}}",
            "f() { echo; }",
            "echo {",
            "echo }",
            "}{",
            "{ctx}",
            "{modules}",
            "{module,other}",
            "{ module.dir }",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn fields_within_shell_and_json_are_fields() {
        check("{ cd {module.dir}; make; }", "{ cd ‹module.dir›; make; }");
        check("${X:-{ctx.a}}", "${X:-‹ctx.a›}");
        check(r#"{"a":{"b":{ctx.a}}}"#, r#"{"a":{"b":‹ctx.a›}}"#);
        check("{{ctx.a},b}", "{‹ctx.a›,b}");
        check("awk '{{print}}' | awk '{print {ctx.a}}'", "awk '{print}' | awk '{print ‹ctx.a›}'");
    }

    #[test]
    fn a_text_without_fields_is_a_literal() {
        assert_eq!(as_literal("local").as_deref(), Some("local"));
        assert_eq!(as_literal("{a}").as_deref(), Some("{a}"));
        assert_eq!(as_literal("{{a}}").as_deref(), Some("{a}"));
        assert_eq!(as_literal("").as_deref(), Some(""));
        assert_eq!(as_literal("{ctx.a}"), None);
        assert!(names_module("{module.dir}") && !names_module("{{module.dir}}"));
    }

    /// `str.format` with the fields `ctx…` and `module…` alone; `None` where it fails.
    fn python(text: &str) -> Option<String> {
        let mut shown = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            shown.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some(tail) = rest.strip_prefix("{{") {
                shown.push('{');
                rest = tail;
            } else if let Some(tail) = rest.strip_prefix("}}") {
                shown.push('}');
                rest = tail;
            } else {
                let (inside, tail) = rest.strip_prefix('{')?.split_once('}')?;
                if inside.contains('{') {
                    return None;
                }
                shown.push_str(&show(parse_field(inside)?));
                rest = tail;
            }
        }
        shown.push_str(rest);
        Some(shown)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_python_takes_is_read_as_python_does(text in "(\\{\\{|\\}\\}|\\{|\\}|\\{ctx\\.a\\}|x|ctx\\.b){0,12}") {
            if let Some(expected) = python(&text) {
                prop_assert_eq!(shown(&text), expected);
            }
        }

        #[test]
        fn text_without_marks_stays_as_it_is(text in "([{}$a\"': ]|ctx|module){0,24}") {
            if ["{{", "}}", "{ctx", "{module"].iter().all(|mark| !text.contains(mark)) {
                prop_assert_eq!(shown(&text), text);
            }
        }
    }
}
