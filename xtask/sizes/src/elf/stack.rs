//! How much stack a function needs with everything that it may call.
//!
//! A function that comes back to itself has no bound, unless the table says how often, or it only
//! ever jumps there with nothing of its own left on the stack.

use std::collections::BTreeMap;

use super::graph::{Edge, Graph};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    pub bytes: u32,
    /// The calls that need them, the first function first: its name, and its bytes when it calls
    /// the next.
    pub path: Vec<(String, u32)>,
}

/// What is known of a function: its bytes, and through whom.
#[derive(Clone, Copy, Debug)]
struct Need {
    bytes: u64,
    /// Its own bytes at the call, and who is called.
    next: Option<Edge>,
}

/// The bound of `root`, or all reasons why there is none.
pub fn bound(graph: &Graph<'_>, root: u32) -> Result<Bound, Vec<String>> {
    let mut search =
        Search { graph, order: BTreeMap::new(), open: Vec::new(), needs: BTreeMap::new(), why: Vec::new() };
    search.visit(root);
    if !search.why.is_empty() {
        return Err(search.why);
    }
    let mut path = Vec::new();
    let mut at = Some(root);
    while let Some((entry, need)) = at.and_then(|entry| Some((entry, search.needs.get(&entry)?))) {
        let frame = graph.nodes.get(&entry).map_or(0, |node| node.frame);
        path.push((graph.image.name(entry), need.next.map_or(frame, |edge| edge.depth)));
        at = need.next.map(|edge| edge.target);
    }
    let bytes = search.needs.get(&root).map_or(0, |need| need.bytes);
    Ok(Bound { bytes: u32::try_from(bytes).unwrap_or(u32::MAX), path })
}

/// Tarjan's search for functions that reach each other; they are complete in the order of what they
/// call.
struct Search<'a> {
    graph: &'a Graph<'a>,
    /// When a function was found, and the earliest found that it reaches and that is still open.
    order: BTreeMap<u32, (usize, usize)>,
    open: Vec<u32>,
    needs: BTreeMap<u32, Need>,
    why: Vec<String>,
}

impl Search<'_> {
    fn visit(&mut self, entry: u32) -> usize {
        let found = self.order.len();
        self.order.insert(entry, (found, found));
        self.open.push(entry);
        let mut lowest = found;
        for edge in self.edges(entry) {
            match self.order.get(&edge.target) {
                None => lowest = lowest.min(self.visit(edge.target)),
                Some(&(other, _)) if self.open.contains(&edge.target) => lowest = lowest.min(other),
                Some(_) => {}
            }
        }
        self.order.insert(entry, (found, lowest));
        if lowest == found {
            let at = self.open.iter().position(|&open| open == entry).unwrap_or_default();
            let group = self.open.split_off(at);
            self.complete(&group);
        }
        lowest
    }

    fn edges(&self, entry: u32) -> Vec<Edge> {
        self.graph.nodes.get(&entry).map(|node| node.edges.clone()).unwrap_or_default()
    }

    /// Functions that all reach each other, or a single one; whatever else they call is complete.
    fn complete(&mut self, group: &[u32]) {
        let mut best = Need { bytes: 0, next: None };
        let mut round = 0;
        for &entry in group {
            let name = || self.graph.image.name(entry);
            let Some(node) = self.graph.nodes.get(&entry) else { continue };
            if let Some(unclear) = &node.unclear {
                self.why.push(format!("{}: no bound: {unclear}", name()));
            }
            if u64::from(node.frame) > best.bytes {
                best = Need { bytes: node.frame.into(), next: None };
            }
            let (inner, outer): (Vec<_>, Vec<_>) =
                node.edges.iter().partition(|edge| group.contains(&edge.target));
            round += inner.iter().map(|edge: &&Edge| u64::from(edge.depth)).max().unwrap_or(0);
            for edge in outer {
                let below = self.needs.get(&edge.target).map_or(0, |need| need.bytes);
                let bytes = u64::from(edge.depth) + below;
                if bytes > best.bytes {
                    best = Need { bytes, next: Some(*edge) };
                }
            }
        }
        if round > 0 {
            match self.rounds(group) {
                Some(times) => best.bytes += u64::from(times) * round,
                None => self.why.push(format!(
                    "no bound: these call each other, say how often in firmware/calls.toml: {}",
                    self.cycle(group)
                )),
            }
        }
        self.needs.extend(group.iter().map(|&entry| (entry, best)));
    }

    /// How often a round through the group is taken at most: where every round passes a function of
    /// which the table says it.
    fn rounds(&self, group: &[u32]) -> Option<u32> {
        group.iter().find_map(|entry| {
            let names = &self.graph.image.functions.get(entry)?.names;
            let rest: Vec<u32> = group.iter().copied().filter(|other| other != entry).collect();
            let times = self.graph.table.times(names)?;
            self.path_back(&rest).is_none().then_some(times)
        })
    }

    /// A way from a function of `group` back to itself within the group.
    fn path_back(&self, group: &[u32]) -> Option<Vec<u32>> {
        group.iter().find_map(|&start| {
            let mut came = BTreeMap::new();
            let mut open = vec![start];
            while let Some(entry) = open.pop() {
                for edge in self.edges(entry).into_iter().filter(|edge| group.contains(&edge.target)) {
                    if edge.target == start {
                        let mut way = vec![start, entry];
                        while way.last() != Some(&start) {
                            way.extend(way.last().and_then(|last| came.get(last)).copied());
                        }
                        way.reverse();
                        return Some(way);
                    }
                    came.entry(edge.target).or_insert_with(|| {
                        open.push(edge.target);
                        entry
                    });
                }
            }
            None
        })
    }

    fn cycle(&self, group: &[u32]) -> String {
        let way = self.path_back(group).unwrap_or_default();
        way.into_iter().map(|entry| self.graph.image.name(entry)).collect::<Vec<_>>().join(" -> ")
    }
}
