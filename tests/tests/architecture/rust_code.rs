//! A minimal Rust lexer that removes comments and the contents of literals from a source file.

/// Returns the code of a file. Comments become spaces, and literals lose their contents.
pub fn only_code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let after_name = code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = match next {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => 1 + quoted(&rest[1..], '"'),
            'r' | 'b' | 'c' if !after_name => prefixed(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(next);
            rest = &rest[next.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[skipped..];
        }
    }
    code
}

/// Returns the identifiers and keywords of code.
pub fn identifiers(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|name| !name.is_empty())
}

/// Returns the length of a block comment, which may be nested.
fn block_comment(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the length of the rest of a literal, including its closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of a literal with a prefix, such as `r#"..."#` and `b"..."`, or 0 if it is
/// not a literal.
fn prefixed(text: &str) -> usize {
    let letters = text.find(|c: char| !matches!(c, 'r' | 'b' | 'c')).unwrap_or(text.len());
    let raw = text[..letters].ends_with('r');
    let hashes = text[letters..].find(|c| c != '#').unwrap_or_default();
    let opening = letters + hashes + 1;
    match text[letters + hashes..].chars().next() {
        Some('"') if raw => {
            let closing = format!("\"{}", "#".repeat(hashes));
            text[opening..].find(&closing).map_or(text.len(), |at| opening + at + closing.len())
        }
        Some('"') if hashes == 0 => opening + quoted(&text[opening..], '"'),
        _ => 0,
    }
}

/// Returns the length of a character literal, or 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text[1..].char_indices();
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => 1 + quoted(&text[1..], '\''),
        (Some(_), Some((at, '\''))) => 1 + at + 1,
        _ => 0,
    }
}

#[test]
fn comments_and_literals_are_removed() {
    let source = "use a; // std::one\n/* std /* std */ std */ let s = \"// std \\\" std\"; f::<'b>('\"', '\\'', b'x');\n\
        let r = r#\"std \" std\"#; let b = br\"std\"; /// std\nlet var\"std\" = bar; std::mem";
    let code = only_code(source);
    let found: Vec<_> = identifiers(&code).collect();
    let wanted =
        ["use", "a", "let", "s", "f", "b", "b", "let", "r", "let", "b", "let", "var", "bar", "std", "mem"];
    assert_eq!(found, wanted, "{code}");
}
