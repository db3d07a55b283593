//! Whether a function can be reached from another, and how.

use std::collections::{BTreeMap, VecDeque};

use super::graph::Graph;
use super::table::{any, fits};

/// How the names of functions begin or end that run only when the program panics.
const PANICS: [&str; 6] = [
    "core::panicking::*",
    "*rust_begin_unwind",
    "*::unwrap_failed",
    "*::expect_failed",
    "core::slice::*_fail",
    "core::str::*_fail",
];

/// How the names of functions end that a linked allocator has.
const ALLOCATORS: [&str; 8] = [
    "*__rust_alloc",
    "*__rust_alloc_zeroed",
    "*__rust_realloc",
    "*__rust_dealloc",
    "malloc",
    "calloc",
    "realloc",
    "_sbrk",
];

pub fn allocator(names: &[String]) -> Vec<&str> {
    names
        .iter()
        .map(String::as_str)
        .filter(|name| ALLOCATORS.iter().any(|pattern| fits(pattern, name)))
        .collect()
}

/// The shortest way from one of `from` to a panic, as names.
pub fn panic(graph: &Graph<'_>, from: &[u32]) -> Option<Vec<String>> {
    let mut came: BTreeMap<u32, Option<u32>> = from.iter().map(|&entry| (entry, None)).collect();
    let mut open: VecDeque<u32> = from.iter().copied().collect();
    while let Some(entry) = open.pop_front() {
        let names = graph.image.function(entry).map_or(&[][..], |(_, function)| &function.names);
        if PANICS.iter().any(|pattern| any(pattern, names)) {
            let way = std::iter::successors(Some(entry), |entry| came.get(entry).copied().flatten());
            let mut way: Vec<String> = way.map(|entry| graph.image.name(entry)).collect();
            way.reverse();
            return Some(way);
        }
        for edge in graph.nodes.get(&entry).into_iter().flat_map(|node| &node.edges) {
            came.entry(edge.target).or_insert_with(|| {
                open.push_back(edge.target);
                Some(entry)
            });
        }
    }
    None
}
