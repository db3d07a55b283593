//! Which file of a package names an item of which other one, and the circles in that.

use super::source::{Import, after_group, tokens, use_tree};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};

/// A module by its path from the crate's root.
type ModulePath = Vec<String>;

/// Steps after which a search gives up: `*` of what is no module may lead on for ever.
const MOST_STEPS: usize = 100;

/// One search for a name's file.
#[derive(Debug, Default)]
struct Search {
    /// Where it has been: re-exports may lead back.
    seen: HashSet<(ModulePath, Vec<String>)>,
    /// Whether a name that the last module does not define is no find (behind a `*`), or taken to
    /// be that module's (of a macro).
    strict: bool,
}

#[derive(Debug, Default)]
struct Module {
    /// The file that it stands in; that of its parent where it is inline.
    file: PathBuf,
    items: HashSet<String>,
    imports: Vec<Import>,
    /// Paths in code, of at least two names.
    paths: Vec<Vec<String>>,
    /// All words in code.
    words: HashSet<String>,
}

impl Module {
    /// What brings `name` in; `use image::image` names another crate's and leads nowhere.
    fn import(&self, name: &str) -> Option<&Import> {
        let brings = |import: &&Import| import.name.as_deref() == Some(name);
        self.imports
            .iter()
            .find(brings)
            .filter(|import| import.path.first().is_some_and(|first| first != name))
    }
}

/// One crate: a library or a program.
#[derive(Debug, Default)]
struct Crate(BTreeMap<ModulePath, Module>);

impl Crate {
    fn read(root: &Path) -> Self {
        let mut modules = Self::default();
        modules.read_file(root, root.parent().unwrap_or(root), vec![]);
        modules
    }

    /// Reads a file as the module `path`; its children's files lie in `folder`.
    fn read_file(&mut self, file: &Path, folder: &Path, path: ModulePath) {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        self.read_module(&tokens(&text), file, folder, path);
    }

    fn read_module(&mut self, tokens: &[String], file: &Path, folder: &Path, path: ModulePath) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        let word = |i: usize| tokens.get(i).map_or("", String::as_str);
        let is_name = |i: usize| word(i).starts_with(|c: char| c.is_alphabetic() || c == '_');
        let (mut i, mut depth) = (0, 0usize);
        while i < tokens.len() {
            let next = i + 1;
            i = match word(i) {
                "#" if word(next) == "[" => {
                    let end = after_group(tokens, next);
                    let attribute = &tokens[next..end];
                    let has = |name: &str| attribute.iter().any(|token| token == name);
                    if word(next + 1) == "cfg" && has("test") && !has("not") {
                        after_item(tokens, end)
                    } else {
                        end
                    }
                }
                "mod" if is_name(next) => {
                    let (name, child) = (word(next), [&path[..], &[word(next).to_owned()]].concat());
                    if word(i + 2) == "{" {
                        let end = after_group(tokens, i + 2);
                        self.read_module(&tokens[i + 3..end - 1], file, &folder.join(name), child);
                        end
                    } else {
                        let flat = folder.join(format!("{name}.rs"));
                        let nested = folder.join(name).join("mod.rs");
                        self.read_file(
                            if flat.exists() { &flat } else { &nested },
                            &folder.join(name),
                            child,
                        );
                        i + 2
                    }
                }
                // But not the `use<>` of a bound.
                "use" if word(next) != "<" => {
                    let public = i > 0 && matches!(word(i - 1), "pub" | ")");
                    use_tree(tokens, next, &[], public, &mut module.imports)
                }
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" if depth == 0 => {
                    let at = if word(next) == "mut" { i + 2 } else { next };
                    module.items.insert(word(at).to_owned());
                    next
                }
                "macro_rules" => {
                    module.items.insert(word(i + 2).to_owned());
                    next
                }
                "{" => {
                    depth += 1;
                    next
                }
                "}" => {
                    depth = depth.saturating_sub(1);
                    next
                }
                _ if is_name(i) && word(next) == "::" && (i == 0 || word(i - 1) != "::") => {
                    let mut end = next;
                    while word(end) == "::" && is_name(end + 1) {
                        end += 2;
                    }
                    module.words.insert(word(i).to_owned());
                    module.paths.push(tokens[i..end].iter().filter(|t| *t != "::").cloned().collect());
                    end
                }
                name => {
                    module.words.insert(name.to_owned());
                    next
                }
            };
        }
        self.0.insert(path, module);
    }

    /// The file that defines what `names` leads to, seen from the module `from`; none for another
    /// crate's and for a module alone.
    fn file_of(&self, from: &ModulePath, names: &[String], search: &mut Search) -> Option<&Path> {
        if search.seen.len() > MOST_STEPS || !search.seen.insert((from.clone(), names.to_vec())) {
            return None;
        }
        let (first, rest) = names.split_first()?;
        match first.as_str() {
            "crate" => self.below(vec![], rest, search),
            "self" => self.below(from.clone(), rest, search),
            "super" => {
                let (_, parent) = from.split_last()?;
                let parent = parent.to_vec();
                match rest.first().map(String::as_str) {
                    Some("super") => self.file_of(&parent, rest, search),
                    _ => self.below(parent, rest, search),
                }
            }
            name => {
                let module = self.0.get(from)?;
                let is_child = self.0.contains_key(&[&from[..], &[name.to_owned()]].concat());
                let known = is_child || module.import(name).is_some();
                if known { self.below(from.clone(), names, search) } else { None }
            }
        }
    }

    /// As [`Self::file_of`], for names that start in the module `at`.
    fn below(&self, at: ModulePath, names: &[String], search: &mut Search) -> Option<&Path> {
        let (name, rest) = names.split_first()?;
        let module = self.0.get(&at)?;
        let child = [&at[..], std::slice::from_ref(name)].concat();
        if self.0.contains_key(&child) {
            return self.below(child, rest, search);
        }
        if module.items.contains(name) {
            return Some(&module.file);
        }
        if let Some(import) = module.import(name) {
            return self.file_of(&at, &[&import.path[..], rest].concat(), search);
        }
        if name == "*" {
            return Some(&module.file);
        }
        let globs = module.imports.iter().filter(|import| import.name.is_none());
        let strict = std::mem::replace(&mut search.strict, true);
        let mut files = globs.map(|glob| self.file_of(&at, &[&glob.path[..], names].concat(), search));
        let found = files.find_map(|file| file);
        search.strict = strict;
        found.or((!strict).then_some(&module.file))
    }

    /// Pairs of a file and another one that it names an item of.
    fn edges(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.0.iter().flat_map(move |(path, module)| {
            let imports = module.imports.iter().filter(|import| match &import.name {
                Some(name) => !import.public || module.words.contains(name),
                None => !import.public,
            });
            let imports = imports.map(|import| match import.name {
                Some(_) => import.path.clone(),
                None => [&import.path[..], &["*".to_owned()]].concat(),
            });
            let named = imports.chain(module.paths.iter().cloned());
            let files = named.filter_map(move |names| self.file_of(path, &names, &mut Search::default()));
            files.map(|file| (module.file.as_path(), file)).filter(|(a, b)| a != b)
        })
    }
}

/// The index behind the item (and its further attributes) that starts at `i`.
fn after_item(tokens: &[String], mut i: usize) -> usize {
    while i < tokens.len() {
        match tokens[i].as_str() {
            ";" => return i + 1,
            "{" => return after_group(tokens, i),
            "(" | "[" => i = after_group(tokens, i),
            _ => i += 1,
        }
    }
    i
}

/// Which files each file of a package points to, by paths below its `src`.
#[derive(Debug, Default)]
pub(super) struct FileGraph(BTreeMap<String, BTreeSet<String>>);

impl FileGraph {
    pub fn read(src: &Path) -> Self {
        let programs =
            std::fs::read_dir(src.join("bin")).into_iter().flatten().flatten().map(|entry| entry.path());
        let roots = [src.join("lib.rs"), src.join("main.rs")].into_iter().chain(programs);
        let mut graph = Self::default();
        for root in roots.filter(|root| root.is_file()) {
            let name = |file: &Path| file.strip_prefix(src).unwrap_or(file).to_string_lossy().into_owned();
            for (from, to) in Crate::read(&root).edges() {
                graph.0.entry(name(from)).or_default().insert(name(to));
            }
        }
        graph
    }

    /// For each edge in a circle the shortest circle through it, as text, starting at the name that
    /// sorts first.
    pub fn circles(&self) -> BTreeSet<String> {
        let edges = self.0.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to)));
        let circle = |(from, to): (&String, &String)| {
            let mut files = self.shortest(to, from)?;
            let first = (0..files.len()).min_by_key(|&i| &files[i])?;
            files.rotate_left(first);
            files.push(files[0].clone());
            Some(files.join(" -> "))
        };
        edges.filter_map(circle).collect()
    }

    fn shortest(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut queue = VecDeque::from([vec![from.to_owned()]]);
        let mut seen = HashSet::from([from.to_owned()]);
        while let Some(way) = queue.pop_front() {
            let last = way.last()?;
            if last == to {
                return Some(way);
            }
            let next = self.0.get(last).into_iter().flatten().filter(|file| seen.insert((*file).clone()));
            queue.extend(next.map(|file| [&way[..], std::slice::from_ref(file)].concat()));
        }
        None
    }
}
