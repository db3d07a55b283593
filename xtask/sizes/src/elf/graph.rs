//! Who calls whom, from some functions on.

use std::collections::{BTreeMap, BTreeSet};

use super::image::Image;
use super::table::{self, Table};
use super::walk::{self, Call};

#[derive(Debug)]
pub struct Graph<'a> {
    pub image: &'a Image,
    pub table: &'a Table,
    /// The functions, by their first address.
    pub nodes: BTreeMap<u32, Node>,
}

#[derive(Debug)]
pub struct Node {
    /// Its own stack in bytes.
    pub frame: u32,
    pub edges: Vec<Edge>,
    /// Whether it comes back to its caller by an instruction of its own.
    pub returns: bool,
    /// Why its stack is not known.
    pub unclear: Option<String>,
    /// Whether it calls through a pointer of which nothing is known, so that it may reach whoever
    /// has its address taken.
    pub guessed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The stack of the caller at the call, in bytes.
    pub depth: u32,
    /// Whether the called function returns to the caller's caller.
    pub jump: bool,
    pub target: u32,
}

impl<'a> Graph<'a> {
    /// Everything that `roots` may call.
    pub fn new(image: &'a Image, table: &'a Table, roots: &[u32]) -> Self {
        let mut graph = Self { image, table, nodes: BTreeMap::new() };
        let taken = image.address_taken();
        let mut open: BTreeSet<u32> = roots.iter().copied().collect();
        while let Some(entry) = open.pop_first() {
            let node = graph.node(entry, &taken);
            let known = |target: &u32| *target != entry && !graph.nodes.contains_key(target);
            open.extend(node.edges.iter().map(|edge| edge.target).filter(known));
            graph.nodes.insert(entry, node);
        }
        graph
    }

    fn names(&self, entry: u32) -> &'a [String] {
        self.image.functions.get(&entry).map_or(&[], |function| &function.names)
    }

    fn node(&self, entry: u32, taken: &[u32]) -> Node {
        let mut walk = walk::walk(self.image, entry);
        let declared = walk.unclear.as_ref().and_then(|_| self.table.frame(self.names(entry)));
        if let Some(bytes) = declared {
            let calls = walk::calls(self.image, entry);
            let calls = calls.into_iter().map(|call| Call { depth: bytes, ..call }).collect();
            walk = walk::Walk { frame: bytes, calls, returns: true, unclear: None };
        }
        let (mut edges, mut guessed) = (Vec::new(), false);
        for call in &walk.calls {
            let targets = match call.target {
                Some(target) => vec![target],
                None => self.declared(entry).unwrap_or_else(|| {
                    guessed = true;
                    taken.to_vec()
                }),
            };
            let Call { depth, jump, .. } = *call;
            edges.extend(targets.into_iter().map(|target| Edge { depth, jump, target }));
        }
        Node { frame: walk.frame, edges, returns: walk.returns, unclear: walk.unclear, guessed }
    }

    /// Whom `entry` calls through pointers, as the table says.
    fn declared(&self, entry: u32) -> Option<Vec<u32>> {
        let mut targets = Vec::new();
        for pattern in self.table.calls(self.names(entry))? {
            for (&address, function) in &self.image.functions {
                if table::any(pattern, &function.names) {
                    self.table.reached(pattern);
                    targets.push(address);
                }
            }
        }
        Some(targets)
    }

    /// Whether a function comes back to its caller, itself or by jumping to one that does.
    pub fn returns(&self, entry: u32) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![entry];
        while let Some(entry) = open.pop() {
            let Some(node) = self.nodes.get(&entry).filter(|_| seen.insert(entry)) else { continue };
            if node.returns {
                return true;
            }
            open.extend(node.edges.iter().filter(|edge| edge.jump).map(|edge| edge.target));
        }
        false
    }

    /// Functions that call through pointers of which nothing is known.
    pub fn guesses(&self) -> Vec<String> {
        let guessed = self.nodes.iter().filter(|(_, node)| node.guessed);
        guessed.map(|(&entry, _)| self.image.name(entry)).collect()
    }
}
