//! The right edge of a growing tree: enough to append and to name the root, nothing more.

use crate::hash::Hash;

/// The roots of the full subtrees that a tree of this size falls into, largest first: one for every bit
/// set in the size. At most 64 hashes, whatever the size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf, given by its hash, and hands every node that became full to `node` as
    /// (height above the leaves, index at that height, hash), the leaf itself first.
    pub fn append_with(&mut self, leaf: Hash, mut node: impl FnMut(u32, u64, Hash)) {
        let mut hash = leaf;
        node(0, self.size, hash);
        for height in 0..self.size.trailing_ones() {
            // A one-bit of the size stands for a full left sibling at the end of the list.
            let Some(left) = self.roots.pop() else { break };
            hash = Hash::of_node(&left, &hash);
            node(height + 1, self.size >> (height + 1), hash);
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// Appends one leaf, given by its hash.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _, _| {});
    }

    /// The root of the tree as it stands.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return Hash::of_empty_tree() };
        roots.fold(*last, |right, left| Hash::of_node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962 section 2.1, written as it stands there.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Hash::of_empty_tree(),
            [one] => *one,
            many => {
                let split = many.len().next_power_of_two() / 2;
                Hash::of_node(&by_definition(&many[..split]), &by_definition(&many[split..]))
            }
        }
    }

    #[test]
    fn the_root_is_the_one_of_the_definition_at_every_size() {
        let leaves: Vec<Hash> = (0..300u32).map(|i| Hash::of_leaf(&i.to_be_bytes())).collect();
        let mut frontier = Frontier::new();
        for (size, leaf) in leaves.iter().enumerate() {
            assert_eq!(frontier.root(), by_definition(&leaves[..size]), "size {size}");
            frontier.append(*leaf);
        }
        assert_eq!(frontier.size(), 300);
    }

    #[test]
    fn every_full_node_is_handed_out_once() {
        let mut frontier = Frontier::new();
        let mut nodes = Vec::new();
        for i in 0..8u32 {
            frontier
                .append_with(Hash::of_leaf(&i.to_be_bytes()), |height, index, _| nodes.push((height, index)));
        }
        nodes.sort_unstable();
        let expected: Vec<(u32, u64)> =
            (0..4u32).flat_map(|height| (0..8u64 >> height).map(move |index| (height, index))).collect();
        assert_eq!(nodes, expected);
    }
}
