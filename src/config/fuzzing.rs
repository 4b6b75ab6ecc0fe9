//! Templates as entry points of fuzzing. Pure.

use super::{Piece, as_literal, names_module, parse_pieces};

/// A template; written with every brace doubled that is no field's, it means the same.
pub fn template(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let pieces = parse_pieces(text);
    let is_literal = pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
    assert_eq!(
        as_literal(text).is_some(),
        is_literal && !(pieces.is_empty() && text.contains(['{', '}']))
    );
    assert_eq!(names_module(text), pieces.iter().any(|piece| matches!(piece, Piece::Module(_))));
    let mut written = String::new();
    for piece in &pieces {
        match piece {
            Piece::Literal(literal) => {
                assert!(!literal.is_empty());
                written.push_str(&literal.replace('{', "{{").replace('}', "}}"));
            }
            Piece::Ctx(path) => written.extend(["{ctx.", path, "}"]),
            Piece::Module(field) if field.is_empty() => written.push_str("{module}"),
            Piece::Module(field) => written.extend(["{module.", field, "}"]),
        }
    }
    assert_eq!(parse_pieces(&written), pieces, "{text:?} is not {written:?}");
}
