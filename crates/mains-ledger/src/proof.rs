//! Inclusion and consistency proofs of RFC 6962 section 2.1, made and checked, and those of subtrees
//! (draft-ietf-plants-merkle-tree-certs, "Subtrees"): a subtree `[start, end)` is one whose start is a
//! multiple of the smallest power of two that is at least its length.
//!
//! A maker asks a [`Nodes`] source for full nodes only, so tiles are enough to make any proof.

use crate::hash::Hash;
use std::fmt;

/// Why a proof was not made or does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofError {
    /// Sizes and positions that no tree can have.
    Range(String),
    /// The proof has more or fewer hashes than its positions need.
    Length {
        /// How many hashes were given.
        given: usize,
    },
    /// The hashes lead to another root.
    Root {
        /// The root that the proof leads to.
        computed: Hash,
        /// The root that was claimed.
        claimed: Hash,
    },
    /// The source of nodes could not give one.
    Source(String),
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(why) => f.write_str(why),
            Self::Length { given } => write!(f, "a proof of {given} hashes does not fit these positions"),
            Self::Root { computed, claimed } => {
                write!(f, "the proof leads to root `{computed}`, not to `{claimed}`")
            }
            Self::Source(why) => write!(f, "a node of the tree is not at hand: {why}"),
        }
    }
}

impl std::error::Error for ProofError {}

/// A source of full nodes: those whose whole subtree lies inside the tree.
pub trait Nodes {
    /// The hash of the node `index` at `height` above the leaves, which covers the leaves
    /// `index << height .. (index + 1) << height`; the error says why it is not at hand.
    fn node(&self, height: u32, index: u64) -> Result<Hash, String>;
}

/// The root of the leaves `[start, end)` where `start` is a multiple of a power of two not below the
/// length.
fn root_of(nodes: &dyn Nodes, start: u64, end: u64) -> Result<Hash, ProofError> {
    let length = end - start;
    if length == 0 {
        return Ok(Hash::of_empty_tree());
    }
    if length.is_power_of_two() {
        let height = length.trailing_zeros();
        return nodes.node(height, start >> height).map_err(ProofError::Source);
    }
    let split = start + split_of(length);
    Ok(Hash::of_node(&root_of(nodes, start, split)?, &root_of(nodes, split, end)?))
}

/// The largest power of two below `length`, which is at least two.
fn split_of(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// The root of the first `size` leaves.
pub fn root(nodes: &dyn Nodes, size: u64) -> Result<Hash, ProofError> {
    root_of(nodes, 0, size)
}

/// The proof that leaf `index` is in the tree of `size` leaves, the leaf's sibling first.
pub fn prove_inclusion(nodes: &dyn Nodes, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    if index >= size {
        return Err(ProofError::Range(format!("leaf {index} is not among the first {size}")));
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let split = start + split_of(end - start);
        if index < split {
            proof.push(root_of(nodes, split, end)?);
            end = split;
        } else {
            proof.push(root_of(nodes, start, split)?);
            start = split;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `size` leaves begins with the tree of `earlier` leaves. Empty where the two
/// are the same, and where the earlier one is empty (of which nothing can be proved).
pub fn prove_consistency(nodes: &dyn Nodes, earlier: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    if earlier > size {
        return Err(ProofError::Range(format!("size {earlier} is not earlier than size {size}")));
    }
    if earlier == 0 {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    // Down to the subtree that ends where the earlier tree ends; it needs no hash while it begins at
    // leaf 0, for then the verifier knows it: it is the earlier root.
    while earlier != end {
        let split = start + split_of(end - start);
        if earlier <= split {
            proof.push(root_of(nodes, split, end)?);
            end = split;
        } else {
            proof.push(root_of(nodes, start, split)?);
            start = split;
        }
    }
    if start != 0 {
        proof.push(root_of(nodes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the leaf with hash `leaf` is at `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range(format!("leaf {index} is not among the first {size}")));
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    let wrong_length = ProofError::Length { given: proof.len() };
    for sibling in proof {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            hash = Hash::of_node(sibling, &hash);
            // A last node without a sibling is carried up unchanged until it is a right child.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    same_root(hash, root)
}

/// Checks that the tree of `size` leaves begins with the tree of `earlier` leaves. An empty earlier tree
/// is refused unless both are empty: everything begins with nothing, so the answer would mean nothing.
pub fn verify_consistency(
    earlier: u64,
    size: u64,
    earlier_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if earlier == 0 && size != 0 {
        return Err(ProofError::Range("an empty tree proves nothing about a later one".into()));
    }
    if earlier > size {
        return Err(ProofError::Range(format!("size {earlier} is not earlier than size {size}")));
    }
    if earlier == size {
        if !proof.is_empty() {
            return Err(ProofError::Length { given: proof.len() });
        }
        if size == 0 {
            same_root(Hash::of_empty_tree(), root)?;
        }
        return same_root(*earlier_root, root);
    }
    fold_consistency(0, earlier, size, earlier_root, root, proof)
}

/// Checks that the leaf with hash `leaf`, at `index` of the whole tree, is in the subtree `[start, end)`
/// with this root.
pub fn verify_subtree_inclusion(
    index: u64,
    start: u64,
    end: u64,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    valid_subtree(start, end)?;
    if !(start..end).contains(&index) {
        return Err(ProofError::Range(format!("leaf {index} is not in the subtree [{start}, {end})")));
    }
    verify_inclusion(index - start, end - start, leaf, proof, root)
}

/// Checks that the tree of `size` leaves with this root holds the subtree `[start, end)` with that root.
/// An empty subtree is held by every tree and has the root of the empty tree.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    size: u64,
    subtree_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    valid_subtree(start, end)?;
    if end > size {
        return Err(ProofError::Range(format!("the subtree [{start}, {end}) is not in {size} leaves")));
    }
    let trivial = start == end || (start == 0 && end == size);
    if trivial && !proof.is_empty() {
        return Err(ProofError::Length { given: proof.len() });
    }
    if start == end {
        return same_root(*subtree_root, &Hash::of_empty_tree());
    }
    if trivial {
        return same_root(*subtree_root, root);
    }
    fold_consistency(start, end, size, subtree_root, root, proof)
}

fn valid_subtree(start: u64, end: u64) -> Result<(), ProofError> {
    let aligned = start <= end
        && (end - start).checked_next_power_of_two().is_some_and(|width| start.is_multiple_of(width));
    if aligned {
        Ok(())
    } else {
        Err(ProofError::Range(format!("[{start}, {end}) is no subtree: its start does not fit its length")))
    }
}

/// Leads the non-empty subtree `[start, end)` and the proof up to both roots.
fn fold_consistency(
    start: u64,
    end: u64,
    size: u64,
    subtree_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    let wrong_length = ProofError::Length { given: proof.len() };
    let (mut first, mut node, mut last) = (start, end - 1, size - 1);
    // Up to the lowest node whose hash both trees share: the subtree's last full node, or the whole
    // subtree where that is one.
    while first != node && (node & 1 == 1 || node == last) {
        first >>= 1;
        node >>= 1;
        last >>= 1;
    }
    let mut rest = proof.iter();
    let (mut small, mut large) = if first == node {
        (*subtree_root, *subtree_root)
    } else {
        let seed = rest.next().ok_or(wrong_length.clone())?;
        (*seed, *seed)
    };
    for sibling in rest {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            if first < node {
                small = Hash::of_node(sibling, &small);
            }
            large = Hash::of_node(sibling, &large);
            while node & 1 == 0 && node != 0 {
                first >>= 1;
                node >>= 1;
                last >>= 1;
            }
        } else {
            large = Hash::of_node(&large, sibling);
        }
        first >>= 1;
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    same_root(small, subtree_root)?;
    same_root(large, root)
}

fn same_root(computed: Hash, claimed: &Hash) -> Result<(), ProofError> {
    if computed == *claimed { Ok(()) } else { Err(ProofError::Root { computed, claimed: *claimed }) }
}
