//! No room reaches beyond what it may use. Every path counts: `use` lines with nested groups, `crate::…` and `csops::…` in the middle of an
//! expression, `super::` chains that leave the room, and re-exports (a name that the root re-exports counts as its room).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The table of docs/architecture.md: a room and the rooms that it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("book", &[]),
    ("query", &["book"]),
    ("insight", &["book", "query"]),
    ("merge", &["book"]),
    ("command", &["book", "query", "insight"]),
    ("config", &[]),
    ("connect", &["book"]),
    ("store", &["book"]),
    ("sync", &["connect", "merge", "store", "book"]),
    (
        "cockpit",
        &[
            "book", "query", "insight", "merge", "command", "config", "connect", "store", "sync",
        ],
    ),
    (
        "tui",
        &["cockpit", "command", "query", "insight", "book", "config"],
    ),
    // `cli/demo*` alone may also use simulate, see `allowed`.
    (
        "cli",
        &[
            "cockpit", "command", "query", "insight", "book", "config", "tui",
        ],
    ),
    ("simulate", &[]),
];

fn allowed(room: &str, file: &str) -> BTreeSet<String> {
    let mut set: BTreeSet<String> = MAY_USE
        .iter()
        .find(|(r, _)| *r == room)
        .map(|(_, uses)| uses.iter().map(|s| (*s).to_owned()).collect())
        .unwrap_or_default();
    set.insert(room.to_owned());
    if room == "cli" && file.starts_with("cli/demo") {
        set.insert("simulate".into());
    }
    set
}

/// Rust source as the tokens that matter to paths. Comments, texts and character literals are gone, so that prose and data cannot be
/// mistaken for code.
fn tokens(source: &str) -> Vec<String> {
    let c: Vec<char> = source.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < c.len() {
        let ch = c[i];
        if ch == '/' && c.get(i + 1) == Some(&'/') {
            while i < c.len() && c[i] != '\n' {
                i += 1;
            }
        } else if ch == '/' && c.get(i + 1) == Some(&'*') {
            let mut depth = 1;
            i += 2;
            while i < c.len() && depth > 0 {
                if c[i] == '/' && c.get(i + 1) == Some(&'*') {
                    depth += 1;
                    i += 1;
                } else if c[i] == '*' && c.get(i + 1) == Some(&'/') {
                    depth -= 1;
                    i += 1;
                }
                i += 1;
            }
        } else if let (true, Some(end)) = (ch == 'r', raw_string(&c, i)) {
            i = end;
        } else if ch == '"' {
            i += 1;
            while i < c.len() && c[i] != '"' {
                i += if c[i] == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if ch == '\'' {
            // A character literal closes within a few characters; a lifetime does not close.
            if c.get(i + 1) == Some(&'\\') {
                i += 3;
                while i < c.len() && c[i] != '\'' {
                    i += 1;
                }
                i += 1;
            } else if c.get(i + 2) == Some(&'\'') {
                i += 3;
            } else {
                i += 1;
            }
        } else if ch.is_alphanumeric() || ch == '_' {
            let start = i;
            while i < c.len() && (c[i].is_alphanumeric() || c[i] == '_') {
                i += 1;
            }
            out.push(c[start..i].iter().collect());
        } else if ch == ':' && c.get(i + 1) == Some(&':') {
            out.push("::".into());
            i += 2;
        } else {
            if !ch.is_whitespace() {
                out.push(ch.to_string());
            }
            i += 1;
        }
    }
    out
}

fn raw_string(c: &[char], at: usize) -> Option<usize> {
    let hashes = c[at + 1..].iter().take_while(|x| **x == '#').count();
    if c.get(at + 1 + hashes) != Some(&'"') {
        return None;
    }
    let mut i = at + 2 + hashes;
    while i < c.len() {
        if c[i] == '"'
            && c[i + 1..]
                .iter()
                .take(hashes)
                .filter(|x| **x == '#')
                .count()
                == hashes
        {
            return Some(i + 1 + hashes);
        }
        i += 1;
    }
    Some(c.len())
}

/// Every path of a file that starts at the crate's root or leaves its module, groups expanded, relative to the root.
fn paths(source: &str, module: &[String]) -> Vec<Vec<String>> {
    let t = tokens(source);
    let mut found = Vec::new();
    let mut i = 0;
    while i < t.len() {
        let starts = matches!(t[i].as_str(), "crate" | "csops" | "super" | "self")
            && t.get(i + 1).map(String::as_str) == Some("::")
            && (i == 0 || t[i - 1] != "::");
        if !starts {
            i += 1;
            continue;
        }
        let mut base = if matches!(t[i].as_str(), "super" | "self") {
            module.to_vec()
        } else {
            Vec::new()
        };
        let mut j = i;
        while j < t.len() && matches!(t[j].as_str(), "crate" | "csops" | "super" | "self") {
            if t[j] == "super" {
                base.pop();
            }
            j += 2;
        }
        i = expand(&t, j, &base, &mut found).max(i + 1);
    }
    found
}

fn expand(t: &[String], mut i: usize, base: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = base.to_vec();
    while i < t.len() {
        match t[i].as_str() {
            "{" => {
                i += 1;
                while i < t.len() && t[i] != "}" {
                    i = if t[i] == "," {
                        i + 1
                    } else {
                        expand(t, i, &path, found).max(i + 1)
                    };
                }
                return i + 1;
            }
            word if word.chars().all(|c| c.is_alphanumeric() || c == '_') => {
                path.push(word.to_owned());
                i += 1;
                if t.get(i).map(String::as_str) == Some("::") {
                    i += 1;
                    continue;
                }
                break;
            }
            "*" => {
                path.push("*".into());
                i += 1;
                break;
            }
            _ => break,
        }
    }
    found.push(path);
    i
}

/// The violations of a tree of sources: `file → room`.
fn violations(root: &Path) -> BTreeSet<String> {
    let rooms: BTreeSet<&str> = MAY_USE.iter().map(|(r, _)| *r).collect();
    let mut files = Vec::new();
    walk(root, &mut files);
    let mut root_names: BTreeMap<String, String> = BTreeMap::new();
    if let Ok(lib) = fs::read_to_string(root.join("lib.rs")) {
        for p in paths(&lib, &[]) {
            if p.len() > 1 && rooms.contains(p[0].as_str()) {
                root_names.insert(p[p.len() - 1].clone(), p[0].clone());
            }
        }
    }
    let mut bad = BTreeSet::new();
    for file in files {
        let relative = file
            .strip_prefix(root)
            .unwrap_or(&file)
            .to_string_lossy()
            .replace('\\', "/");
        let mut module: Vec<String> = relative
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if module.last().is_some_and(|m| m == "mod") {
            module.pop();
        }
        let Some(room) = module
            .first()
            .cloned()
            .filter(|r| rooms.contains(r.as_str()))
        else {
            continue;
        };
        let may = allowed(&room, &relative);
        let source = fs::read_to_string(&file).expect("source is readable");
        for p in paths(&source, &module) {
            let first = p.first().map_or("*", String::as_str);
            let target = root_names.get(first).map_or(first, String::as_str);
            if first == "*" {
                bad.insert(format!("{relative} → the whole crate"));
            } else if rooms.contains(target) && !may.contains(target) {
                bad.insert(format!("{relative} → {target}"));
            }
        }
    }
    bad
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("folder is readable") {
        let path = entry.expect("entry is readable").path();
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn no_room_reaches_beyond_what_it_may_use() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let bad = violations(&root);
    assert!(
        bad.is_empty(),
        "arrows that the house plan does not have:\n{bad:#?}"
    );
}

#[test]
fn every_folder_of_the_sources_is_a_room_of_the_plan() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(root).expect("src is readable") {
        let path = entry.expect("entry is readable").path();
        if path.is_dir() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            assert!(
                MAY_USE.iter().any(|(r, _)| *r == name),
                "`{name}` is no room of the plan"
            );
        }
    }
}

/// One planted violation per way of writing it: each must be found, and none where there is none.
#[test]
fn planted_violations_are_found() {
    let cases: &[(&str, &str, &str, bool)] = &[
        ("a plain use", "book/a.rs", "use crate::store::Store;", true),
        (
            "a nested group",
            "book/a.rs",
            "use crate::{book::Money, sync::{self, Engine}};",
            true,
        ),
        (
            "an expression",
            "insight/a.rs",
            "fn f() { let _ = crate::cockpit::now(); }",
            true,
        ),
        (
            "a type in a signature",
            "connect/sf.rs",
            "fn f(x: &crate::config::Settings) {}",
            true,
        ),
        (
            "super that leaves the room",
            "query/a.rs",
            "use super::super::tui::draw;",
            true,
        ),
        (
            "super from a folder's mod.rs",
            "query/mod.rs",
            "use super::tui::draw;",
            true,
        ),
        (
            "a re-export",
            "book/mod.rs",
            "pub use crate::store as kept;",
            true,
        ),
        ("a glob of the crate", "book/a.rs", "use crate::*;", true),
        (
            "the crate by its name",
            "tui/a.rs",
            "use csops::store::Store;",
            true,
        ),
        (
            "the simulator outside the demo",
            "cli/list.rs",
            "use crate::simulate::start;",
            true,
        ),
        (
            "a macro path",
            "merge/a.rs",
            "fn f() { crate::sync::log!(\"x\"); }",
            true,
        ),
        (
            "a name re-exported at the root",
            "book/a.rs",
            "use crate::Storage;",
            true,
        ),
        (
            "the simulator in the demo",
            "cli/demo.rs",
            "use crate::simulate::start;",
            false,
        ),
        (
            "an allowed use",
            "sync/a.rs",
            "use crate::{store::Store, book::*};",
            false,
        ),
        (
            "inside its own room",
            "tui/panes/a.rs",
            "use super::super::widgets::x; use super::b;",
            false,
        ),
        (
            "a comment",
            "book/a.rs",
            "// crate::store::Store\n/* crate::tui */ fn f() {}",
            false,
        ),
        (
            "a text",
            "book/a.rs",
            "const A: &str = \"crate::store\"; const B: &str = r#\"crate::tui\"#;",
            false,
        ),
        (
            "a lifetime before a path",
            "tui/a.rs",
            "fn f<'a>(x: &'a crate::book::Money) {}",
            false,
        ),
        (
            "a quote as a character, then a path",
            "book/a.rs",
            "const Q: char = '\\''; use crate::tui::x;",
            true,
        ),
    ];
    for (what, file, source, is_bad) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(
            folder.path().join("lib.rs"),
            "pub use crate::store::Storage;",
        )
        .expect("lib.rs");
        fs::write(&path, source).expect("a source");
        let bad = violations(folder.path());
        assert_eq!(!bad.is_empty(), *is_bad, "{what}: {bad:?}");
    }
}
