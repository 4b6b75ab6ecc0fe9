//! Dotenv files: comments, quotes, `export`, `${VAR}`.

use crate::error::{Code, Diagnostic, RunnableError};
use crate::paths::AbsPath;
use crate::sys::{Env, fs};

/// A parsed file is added to an environment; its variables win over those that are there.
pub fn apply(env: &mut Env, root: &AbsPath, path: &str) -> Result<(), RunnableError> {
    let bytes = fs::optional(fs::read(root.join(path).as_path()))?.ok_or_else(|| {
        Diagnostic::new(Code::DotenvNotFound, format!("no dotenv file `{path}`"))
            .hint(format!("create `{path}` or remove it from `dotenv`"))
    })?;
    for variable in dotenvy::from_read_iter(bytes.as_slice()) {
        let (name, value) = variable.map_err(|error| invalid(path, &bytes, &error))?;
        env.insert(name.into(), value.into());
    }
    Ok(())
}

fn invalid(path: &str, bytes: &[u8], error: &dotenvy::Error) -> Diagnostic {
    let invalid = |text: String| Diagnostic::new(Code::DotenvInvalid, text);
    let dotenvy::Error::LineParse(line, _) = error else {
        return invalid(format!("`{path}` is no dotenv file")).because(error.to_string());
    };
    let text = String::from_utf8_lossy(bytes);
    let number = text.lines().position(|other| other == line).map_or(0, |index| index + 1);
    invalid(format!("`{path}` has a line that is no `NAME=value`"))
        .because(format!("line {number}: {line}"))
        .hint("write `NAME=value`, with quotes around a value that has spaces")
}
