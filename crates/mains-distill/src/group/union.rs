//! Sets that grow together.

pub(super) struct Union(Vec<usize>);

impl Union {
    pub(super) fn new(n: usize) -> Self {
        Self((0..n).collect())
    }

    /// The least member of a set.
    pub(super) fn root(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    /// Joins two sets; the lesser root stays, so that the result does not hang on the order of joining.
    pub(super) fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}
