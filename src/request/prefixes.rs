//! A set of texts, and which of them another text begins with.

use crate::value::sorted::sorted;
use std::sync::Arc;

/// Texts in lexical order, each with what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Prefixes<T>(Vec<Prefix<T>>);

#[derive(Clone, Debug)]
struct Prefix<T> {
    text: Arc<[u8]>,
    value: T,
    /// How many of the others this one begins with.
    depth: usize,
    /// The longest of those.
    parent: Option<usize>,
    /// One that is further up: the parent of a skew-binary tree, so that from a chain of any length the one
    /// that fits is a logarithm of steps away.
    ancestor: Option<usize>,
}

// === impl Prefixes ===

impl<T> Prefixes<T> {
    /// Of texts that are sorted and differ.
    pub fn new(sorted: impl IntoIterator<Item = (Arc<[u8]>, T)>) -> Self {
        let mut prefixes = Self::default();
        for (text, value) in sorted {
            prefixes.push(text, value);
        }
        prefixes
    }

    /// Adds a text that sorts behind all others.
    pub fn push(&mut self, text: Arc<[u8]>, value: T) {
        let parent = self.longest(&text);
        self.0.push(Prefix {
            text,
            value,
            depth: parent.map_or(0, |parent| self.depth(parent).saturating_add(1)),
            parent,
            ancestor: parent.map(|parent| self.ancestor_below(parent)),
        });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of the longest that `text` begins with.
    pub fn find(&self, text: &[u8]) -> Option<&T> {
        let prefix = self.0.get(self.longest(text)?)?;
        Some(&prefix.value)
    }

    /// These, and for texts that begin with none of them the `others`.
    pub fn or(self, others: &Self) -> Self
    where
        T: Clone,
    {
        let others = others.0.iter().filter(|it| self.find(&it.text).is_none());
        let all = sorted(others.chain(&self.0), |one, other| {
            one.text.cmp(&other.text)
        });
        Self::new(
            all.into_iter()
                .map(|it| (Arc::clone(&it.text), it.value.clone())),
        )
    }

    /// It is the last one that does not sort behind the text, or one that this one begins with.
    fn longest(&self, text: &[u8]) -> Option<usize> {
        let mut index = self
            .0
            .partition_point(|prefix| *prefix.text <= *text)
            .checked_sub(1)?;
        let nearest = self.0.get(index)?;
        let shared = nearest.text.iter().zip(text).take_while(|(a, b)| a == b);
        let shared = shared.count();
        loop {
            let prefix = self.0.get(index)?;
            if prefix.text.len() <= shared {
                return Some(index);
            }
            let ancestor = prefix.ancestor?;
            let is_too_long = self.0.get(ancestor)?.text.len() > shared;
            index = if is_too_long {
                ancestor
            } else {
                prefix.parent?
            };
        }
    }

    /// The `ancestor` of one that has this parent: the parent, or where two steps from there are equally
    /// long, the end of both.
    fn ancestor_below(&self, parent: usize) -> usize {
        let ancestor_of = |index: usize| self.0.get(index)?.ancestor;
        let step = |from: usize, to: usize| self.depth(from).saturating_sub(self.depth(to));
        ancestor_of(parent)
            .and_then(|first| Some((first, ancestor_of(first)?)))
            .filter(|&(first, second)| step(parent, first) == step(first, second))
            .map_or(parent, |(_, second)| second)
    }

    fn depth(&self, index: usize) -> usize {
        self.0.get(index).map_or(0, |prefix| prefix.depth)
    }
}

impl<T> Default for Prefixes<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
