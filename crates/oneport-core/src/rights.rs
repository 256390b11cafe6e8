//! What a member may do.

/// What a member of a room may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Publish messages.
    pub publish: bool,
    /// Get messages and presence, and ask for history.
    pub subscribe: bool,
    /// Remove other members.
    pub kick: bool,
}

impl Rights {
    /// What everybody may do where nobody said otherwise: all but to remove others.
    pub const OPEN: Self = Self {
        publish: true,
        subscribe: true,
        kick: false,
    };

    /// Returns the rights that both have.
    pub(crate) fn within(self, bound: Self) -> Self {
        Self {
            publish: self.publish && bound.publish,
            subscribe: self.subscribe && bound.subscribe,
            kick: self.kick && bound.kick,
        }
    }
}
