//! Sources and what they import.

use super::*;

/// `LINE: [.. or a.b][ name][ typing][ optional]` for each import.
fn shown(scan: &Scan) -> Vec<String> {
    let show = |import: &Import| {
        let dots = ".".repeat(import.level as usize);
        let name = import.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let typing = if import.is_type_checking { " typing" } else { "" };
        let optional = if import.is_optional { " optional" } else { "" };
        format!("{}: {dots}{}{name}{typing}{optional}", import.line, import.module)
    };
    scan.imports.iter().map(show).collect()
}

#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let scan = scan(source.as_bytes());
    assert_eq!(scan.error, None, "{source}");
    assert_eq!(shown(&scan), expected, "{source}");
}

#[track_caller]
fn check_error(source: &str, line: u32, column: u32) {
    let error = scan(source.as_bytes()).error.expect("an error");
    assert_eq!((error.line, error.column), (line, column), "{}", error.message);
}

#[test]
fn every_form_of_import() {
    check("import a", &["1: a"]);
    check("import a.b.c as d, e", &["1: a.b.c", "1: e"]);
    check("from a.b import c, d as e", &["1: a.b c", "1: a.b d"]);
    check("from a import *", &["1: a"]);
    check("from . import a", &["1: . a"]);
    check("from ..a.b import c", &["1: ..a.b c"]);
    check("from .... import c", &["1: .... c"]);
    check("\n\nfrom a import (\n    b,\n    c,\n)\n", &["3: a b", "3: a c"]);
    check("x = 1; import a; y = 2", &["1: a"]);
    check("x = '''\nimport no\n'''\nimport a", &["4: a"]);
    check("import a\r\nimport b\r\n", &["1: a", "2: b"]);
    check("", &[]);
}

#[test]
fn imports_stand_anywhere() {
    check("def f():\n    import a\n    async def g():\n        import b\n", &["2: a", "4: b"]);
    check("class A:\n    import a\n    def f(self):\n        import b\n", &["2: a", "4: b"]);
    check("for x in y:\n    import a\nelse:\n    import b\n", &["2: a", "4: b"]);
    check("while x:\n    import a\nelse:\n    import b\n", &["2: a", "4: b"]);
    check("with x as y:\n    import a\n", &["2: a"]);
    check(
        "match x:\n    case 1:\n        import a\n    case _:\n        import b\n",
        &["3: a", "5: b"],
    );
    check("if x: import a\nelif y: import b\nelse: import c", &["1: a", "2: b", "3: c"]);
}

#[test]
fn what_is_only_for_type_checkers() {
    let typing = &["2: a typing"];
    check("if TYPE_CHECKING:\n    import a\n", typing);
    check("if typing.TYPE_CHECKING:\n    import a\n", typing);
    check("if t.TYPE_CHECKING and x:\n    import a\n", typing);
    check("if not not TYPE_CHECKING:\n    import a\n", typing);
    check("if not TYPE_CHECKING:\n    import a\n", &["2: a"]);
    check("if TYPE_CHECKING or x:\n    import a\n", &["2: a"]);
    check("if TYPE_CHECKING:\n    import a\nelse:\n    import b\n", &["2: a typing", "4: b"]);
    check("if not TYPE_CHECKING:\n    import a\nelse:\n    import b\n", &["2: a", "4: b typing"]);
    check(
        "if x:\n    import a\nelif TYPE_CHECKING:\n    import b\nelse:\n    import c\n",
        &["2: a", "4: b typing", "6: c"],
    );
    check(
        "if not TYPE_CHECKING or x:\n    import a\nelif y:\n    import b\n",
        &["2: a", "4: b typing"],
    );
    check("if TYPE_CHECKING:\n    def f():\n        import a\n", &["3: a typing"]);
    check(
        "if TYPE_CHECKING:\n    if x:\n        import a\n    else:\n        import b\n",
        &["3: a typing", "5: b typing"],
    );
}

#[test]
fn what_may_be_absent() {
    for errors in [
        "ImportError",
        "ModuleNotFoundError",
        "(KeyError, ImportError)",
        "Exception as e",
        "builtins.ImportError",
    ] {
        check(
            &format!(
                "try:\n    import a\nexcept {errors}:\n    import b\nelse:\n    import c\nfinally:\n    import d\n"
            ),
            &["2: a optional", "4: b", "6: c", "8: d"],
        );
    }
    check("try:\n    import a\nexcept:\n    pass\n", &["2: a optional"]);
    check("try:\n    import a\nexcept KeyError:\n    import b\n", &["2: a", "4: b"]);
    check("try:\n    import a\nfinally:\n    pass\n", &["2: a"]);
}

#[test]
fn comments_add_and_remove() {
    check("import a  # qik: ignore\nimport b", &["2: b"]);
    check("from a import (  # qik: ignore\n    b,\n    c,\n)\n", &[]);
    check("from a import (\n    b,\n    c,\n)  # qik: ignore\n", &[]);
    check("from a import (\n    b,  # qik: ignore\n    c,\n)\n", &["1: a c"]);
    check("# qik: import a.b\nx = 1", &["1: a.b"]);
    check("x = load()  # qik: import a.b, .c\n", &["1: a.b", "1: .c"]);
    check("#qik:import a", &["1: a"]);
    check("x = '# qik: import a'\n# qik: the runner\nimport b", &["3: b"]);
    check_error("x = 1\n# qik: import a b\n", 2, 1);
    check_error("x = 1  # qik: import a-b\n", 1, 8);
}

#[test]
fn syntax_of_every_version() {
    check("def f(a, /, b, *, c): ...\nif (n := 1): import a", &["2: a"]);
    check("with (open(a) as b, open(c) as d):\n    import a\n", &["2: a"]);
    check("type A[T] = list[T]\nclass B[T: int]: import a\n", &["2: a"]);
    check("try:\n    import a\nexcept* ValueError:\n    pass\n", &["2: a"]);
    check("x = f'{a!r:{b}} {'c'}'\nimport a", &["2: a"]);
    check("x = t'{a}'\nimport a", &["2: a"]);
    check("try:\n    import a\nexcept ImportError, KeyError:\n    pass\n", &["2: a optional"]);
    check(
        "async def f():\n    async with a: import b\n    async for c in d: import e\n",
        &["2: b", "3: e"],
    );
    check("match = case = type = 1\nprint(match)\nimport a", &["3: a"]);
}

#[test]
fn errors_have_a_place() {
    check_error("def broken(:\n", 1, 12);
    check_error("import a\n\nx = = 1\n", 3, 5);
    check_error("print 'x'\n", 1, 7);
    check_error("if x:\nimport a\n", 2, 1);
}

#[test]
fn what_is_deep_is_no_danger() {
    let deep = 20_000;
    let scan = std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || {
            scan(format!("x = {}1{}\nimport a", "(".repeat(deep), ")".repeat(deep)).as_bytes())
        })
        .expect("a thread")
        .join()
        .expect("no panic");
    assert_eq!(shown(&scan), ["2: a"]);
}

#[test]
fn what_no_stack_holds_is_told() {
    for link in [".b", "()", "+a"] {
        let source = format!("import x\ny = a{}\n", link.repeat(10_000_000));
        let error = scan(source.as_bytes()).error.expect("an error");
        assert_eq!((error.line, error.message.contains("levels deep")), (2, true));
    }
}
