//! Whom a message is for, if not for the whole room.

use std::fmt;
use std::sync::Arc;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::codes::ErrorCode;
use crate::ids::MemberId;

/// The members that a message is for: a set of 1 to 64, in ascending order. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "RecipientList")]
pub struct Recipients(Arc<[MemberId]>);

impl Recipients {
    /// How many there may be, counted before doubles are taken out. A message for more is for a
    /// room.
    pub const COUNT_MAX: usize = 64;

    /// The set of these members.
    ///
    /// # Errors
    ///
    /// [`RecipientsError`] if there are none or too many.
    pub fn new(members: impl IntoIterator<Item = MemberId>) -> Result<Self, RecipientsError> {
        let mut list = RecipientList::default();
        members.into_iter().for_each(|member| list.push(member));
        list.try_into()
    }

    /// The members, ascending, each once.
    pub fn as_slice(&self) -> &[MemberId] {
        &self.0
    }

    /// Whether this member is among them.
    pub fn contains(&self, member: MemberId) -> bool {
        self.0.binary_search(&member).is_ok()
    }
}

impl Serialize for Recipients {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&*self.0)
    }
}

/// A list as it stands in a frame: of one that is too long no more is kept than is needed to say so.
#[derive(Default)]
pub(crate) struct RecipientList {
    members: Vec<MemberId>,
    count: usize,
}

impl RecipientList {
    fn push(&mut self, member: MemberId) {
        self.count += 1;
        if self.count <= Recipients::COUNT_MAX {
            self.members.push(member);
        }
    }
}

impl TryFrom<RecipientList> for Recipients {
    type Error = RecipientsError;

    fn try_from(RecipientList { mut members, count }: RecipientList) -> Result<Self, Self::Error> {
        if count == 0 {
            return Err(RecipientsError::None);
        }
        if count > Self::COUNT_MAX {
            return Err(RecipientsError::TooMany { count });
        }
        members.sort_unstable();
        members.dedup();
        Ok(Self(members.into()))
    }
}

impl<'de> Deserialize<'de> for RecipientList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = RecipientList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of member ids")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RecipientList, A::Error> {
        let mut list = RecipientList::default();
        while list.count < Recipients::COUNT_MAX {
            match items.next_element()? {
                Some(member) => list.push(member),
                None => return Ok(list),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            list.count += 1;
        }
        Ok(list)
    }
}

/// Why members are no [`Recipients`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientsError {
    /// There are none. A message for all leaves the list out; one for nobody is a mistake.
    None,
    /// There are more than [`Recipients::COUNT_MAX`].
    TooMany {
        /// How many there are.
        count: usize,
    },
}

impl RecipientsError {
    /// The code of the `err` that says so.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::None => ErrorCode::BadFrame,
            Self::TooMany { .. } => ErrorCode::TooManyRecipients,
        }
    }
}

impl fmt::Display for RecipientsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count_max = Recipients::COUNT_MAX;
        match self {
            Self::None => f.write_str("a list of recipients must not be empty"),
            Self::TooMany { count } => {
                write!(
                    f,
                    "a message has at most {count_max} recipients, not {count}"
                )
            }
        }
    }
}

impl std::error::Error for RecipientsError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(count: u32) -> Result<Recipients, RecipientsError> {
        Recipients::new((0..count).map(MemberId::new))
    }

    #[test]
    fn a_set() {
        let set = Recipients::new([3, 1, 3].map(MemberId::new)).expect("three");
        assert_eq!(set.as_slice(), [1, 3].map(MemberId::new));
        assert!(set.contains(MemberId::new(3)) && !set.contains(MemberId::new(2)));
    }

    #[test]
    fn at_the_limits_and_one_past_them() {
        assert_eq!(first(0), Err(RecipientsError::None));
        assert!(first(1).is_ok() && first(64).is_ok());
        assert_eq!(first(65), Err(RecipientsError::TooMany { count: 65 }));
    }
}
