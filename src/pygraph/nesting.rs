//! How deep a source nests, told by its tokens before it is parsed: a tree is let go of level by
//! level, each on the stack, and a chain as `a.b.b.b` has as many levels as links. Pure.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Mode;
use ruff_python_parser::lexer::lex;

/// What the stack of a thread that parses surely holds. Python gives up far below.
pub(super) const LEVELS_MAX: usize = 100_000;

/// The line in which a source nests too deeply, if it does.
pub(super) fn too_deep(text: &str) -> Option<u32> {
    if level_count_max(text) <= LEVELS_MAX || !is_too_deep(text) {
        return None;
    }
    // The lexer does not tell where it is.
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    let line = ends.partition_point(|end| !is_too_deep(&text[..*end]));
    Some(u32::try_from(line).unwrap_or(u32::MAX).saturating_add(1))
}

/// There are no more levels than this: as many as words, which may be keywords, and letters of
/// other kinds, and one for the end of a text with an open bracket.
fn level_count_max(text: &str) -> usize {
    let mut is_in_word = false;
    let mut count = 1;
    for byte in text.bytes() {
        let is_word = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
        let begins = if is_word { !is_in_word } else { !byte.is_ascii_whitespace() };
        count += usize::from(begins);
        is_in_word = is_word;
    }
    count
}

/// Whether a token makes no level: what is a leaf of a tree, and what has none.
fn is_flat(token: TokenKind) -> bool {
    matches!(
        token,
        TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::TStringStart
            | TokenKind::TStringMiddle
            | TokenKind::TStringEnd
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::Indent
            | TokenKind::Dedent
    )
}

/// Counts what can make a level, and so may count too much.
fn is_too_deep(text: &str) -> bool {
    let mut lexer = lex(text, Mode::Module);
    // Levels at this place, at the innermost open bracket, and at those around it.
    let (mut here, mut innermost, mut around) = (0_usize, 0_usize, Vec::new());
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return false,
            TokenKind::Newline | TokenKind::Semi => {
                around.clear();
                (here, innermost) = (0, 0);
            }
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                around.push(innermost);
                here += 1;
                innermost = here;
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                here = innermost;
                innermost = around.pop().unwrap_or_default();
            }
            TokenKind::Comma => here = innermost,
            token if is_flat(token) => {}
            _ => here += 1,
        }
        if here > LEVELS_MAX {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(source: &str, is_too_deep: bool) {
        let source = format!("import a\n{source}");
        assert_eq!(too_deep(&source), is_too_deep.then_some(2), "{}…", &source[..30]);
    }

    #[test]
    fn chains_and_brackets_nest() {
        let count = LEVELS_MAX + 1;
        for link in [".b", "()", "[0]", "+a", "**a", "|a", " if a else a"] {
            check(&format!("x = a{}\n", link.repeat(count)), true);
            check(&format!("x = a{}\n", link.repeat(count / 10)), false);
        }
        for start in ["(", "[", "not ", "-", "lambda: ", "f(a, "] {
            check(&format!("x = {}a\n", start.repeat(count)), true);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn there_are_no_more_levels_than_are_counted(
            words in prop::collection::vec(
                "1if|1else|0x1for|[a-z]{1,3}|é|[-+*/@.,:;()\\[\\]{}#\\\\\n !~$?`]|f'|'|\"\"\"|1e5|\\.5|1_0j",
                0..40,
            )
        ) {
            let text = words.concat();
            let mut lexer = lex(&text, Mode::Module);
            let mut count = 0;
            loop {
                match lexer.next_token() {
                    TokenKind::EndOfFile => break,
                    token => count += usize::from(!is_flat(token) && token != TokenKind::Newline),
                }
            }
            prop_assert!(count <= level_count_max(&text), "{count} in {text:?}");
        }
    }

    #[test]
    fn what_is_long_need_not_nest() {
        let count = LEVELS_MAX + 1;
        check(&format!("x = [{}]\n", "f(a.b, -1), ".repeat(count)), false);
        check(&format!("x = ({})\n", "'text' ".repeat(count)), false);
        check(&"x = a.b(c)[0]\n".repeat(count), false);
        check(&format!("x = {{{}}}\n", "'a': {'b': [c, d.e]},\n".repeat(count)), false);
    }
}
