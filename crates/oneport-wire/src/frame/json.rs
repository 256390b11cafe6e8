//! What all JSON frames share: the type that stands first, and the way into a buffer.

use serde::{Deserialize, Deserializer, Serialize};

use crate::codes::{ByeCode, ErrorCode};
use crate::names::RequestId;
use crate::text::Text;

/// Whether a flag has its default, which frames leave out.
pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

/// Appends `{"t": …, "id": …, …}`, the members of `body` in their order.
pub(super) fn write(t: &str, id: Option<&RequestId>, body: &impl Serialize, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Tagged<'a, T> {
        t: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a RequestId>,
        #[serde(flatten)]
        body: &'a T,
    }
    serde_json::to_writer(&mut *out, &Tagged { t, id, body })
        .expect("a Vec takes everything, and frames are objects of strings, numbers and lists");
}

/// A code that a later relay may have and this crate does not know is `internal` to it.
pub(super) fn code_or_internal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ErrorCode, D::Error> {
    let word = Text::deserialize(deserializer)?;
    Ok(word.0.parse().unwrap_or(ErrorCode::Internal))
}

/// As [`code_or_internal`].
pub(super) fn bye_code_or_internal<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<ByeCode, D::Error> {
    let word = Text::deserialize(deserializer)?;
    Ok(word.0.parse().unwrap_or(ByeCode::Internal))
}

/// A list that may be absent; `null` counts as absent.
pub(super) fn list_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
