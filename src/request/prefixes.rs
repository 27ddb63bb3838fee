//! A set of texts, and which of them another text begins with.

use std::iter;

/// Texts in lexical order, each with what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Prefixes<T>(Vec<Prefix<T>>);

#[derive(Clone, Debug)]
struct Prefix<T> {
    text: Box<[u8]>,
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
    pub fn new(sorted: impl IntoIterator<Item = (Box<[u8]>, T)>) -> Self {
        let mut prefixes = Self(Vec::new());
        for (text, value) in sorted {
            let parent = prefixes.longest(&text);
            let prefix = Prefix {
                depth: parent.map_or(0, |parent| prefixes.depth(parent).saturating_add(1)),
                parent,
                ancestor: parent.map(|parent| prefixes.ancestor_below(parent)),
                text,
                value,
            };
            prefixes.0.push(prefix);
        }
        prefixes
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Of the longest that `text` begins with.
    pub fn find(&self, text: &[u8]) -> Option<&T> {
        let prefix = self.0.get(self.longest(text)?)?;
        Some(&prefix.value)
    }

    /// Of all that `text` begins with, the longest first.
    pub fn find_all(&self, text: &[u8]) -> impl Iterator<Item = &T> {
        let parent = |prefix: &&Prefix<T>| self.0.get(prefix.parent?);
        let longest = self.longest(text).and_then(|longest| self.0.get(longest));
        iter::successors(longest, parent).map(|prefix| &prefix.value)
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
