//! One file of Rust, read just as far as the names in it need: tokens without comments and texts,
//! and `use` trees.

/// The file's identifiers and signs (`::` is one), without comments, literals and lifetimes.
pub(super) fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        match (at(i), at(i + 1)) {
            ('/', '/') => i = (i..chars.len()).find(|&i| at(i) == '\n').unwrap_or(chars.len()),
            ('/', '*') => i = after_block_comment(&chars, i),
            ('"', _) => i = after_text(&chars, i + 1),
            ('\'', '\\') => i = (i + 3..chars.len()).find(|&i| at(i) == '\'').unwrap_or(chars.len()) + 1,
            ('\'', _) if at(i + 2) == '\'' => i += 3,
            ('\'', _) => i = (i + 1..chars.len()).find(|&i| !is_word(at(i))).unwrap_or(chars.len()),
            (':', ':') => {
                found.push("::".to_owned());
                i += 2;
            }
            (c, _) if is_word(c) => {
                let end = (i..chars.len()).find(|&i| !is_word(at(i))).unwrap_or(chars.len());
                let word: String = chars[i..end].iter().collect();
                let hashes = (end..chars.len()).take_while(|&i| at(i) == '#').count();
                let raw = word.ends_with('r') && word.len() <= 2;
                i = match at(end + hashes) {
                    '"' if raw => after_raw_text(&chars, end + hashes + 1, hashes),
                    '"' if hashes == 0 && word.len() == 1 => after_text(&chars, end + 1),
                    _ => {
                        found.push(word);
                        end
                    }
                };
            }
            (c, _) if c.is_whitespace() => i += 1,
            (c, _) => {
                found.push(c.to_string());
                i += 1;
            }
        }
    }
    found
}

fn after_block_comment(chars: &[char], start: usize) -> usize {
    let (mut i, mut depth) = (start, 0);
    while i + 1 < chars.len() {
        match (chars[i], chars[i + 1]) {
            ('/', '*') => (i, depth) = (i + 2, depth + 1),
            ('*', '/') => (i, depth) = (i + 2, depth - 1),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn after_text(chars: &[char], mut i: usize) -> usize {
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn after_raw_text(chars: &[char], start: usize, hashes: usize) -> usize {
    let ends =
        |&i: &usize| chars[i] == '"' && chars[i + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    (start..chars.len()).find(ends).map_or(chars.len(), |i| i + 1 + hashes)
}

/// The index behind the bracket that closes the one at `open`.
pub(super) fn after_group(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        depth += match token.as_str() {
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        };
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// What one leaf of a `use` tree brings in: its path, and the name that it gets; no name for `*`.
#[derive(Clone, Debug)]
pub(super) struct Import {
    pub name: Option<String>,
    pub path: Vec<String>,
    /// Passed on (`pub use`).
    pub public: bool,
}

/// The leaves of the `use` tree from `i` on, below `prefix`; returns the index behind the tree.
pub(super) fn use_tree(
    tokens: &[String],
    mut i: usize,
    prefix: &[String],
    public: bool,
    leaves: &mut Vec<Import>,
) -> usize {
    let mut path = prefix.to_vec();
    while i < tokens.len() {
        match tokens[i].as_str() {
            "::" => i += 1,
            "*" => {
                leaves.push(Import { name: None, path, public });
                return i + 1;
            }
            "{" => {
                i += 1;
                while !matches!(tokens.get(i).map(String::as_str), None | Some("}" | ";")) {
                    i = if tokens[i] == "," { i + 1 } else { use_tree(tokens, i, &path, public, leaves) };
                }
                return i + 1;
            }
            "self" if !prefix.is_empty() => i += 1,
            "as" => {
                leaves.push(Import { name: tokens.get(i + 1).cloned(), path, public });
                return i + 2;
            }
            "," | "}" | ";" => break,
            word => {
                path.push(word.to_owned());
                i += 1;
            }
        }
    }
    leaves.push(Import { name: path.last().cloned(), path, public });
    i
}
