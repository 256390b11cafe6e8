//! How many files and connections this process may have open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// What the relay may need: signaling's connections and those that have said nothing yet, those of
/// ICE-TCP, and some for itself.
const WANTED: u64 = 4096;

/// Raises the limit of open files as far as the system lets us: by default it is made for programs that
/// use `select`. Datagrams need none, but TCP connections need one each.
///
/// With fewer than it may need the relay works as well: TCP connections that say nothing make room then.
pub fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    let before = limit.current;
    // `None` is no limit.
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        log::debug!("the limit of open files stays: {error}");
        limit.current = before;
    }
    match limit.current {
        Some(most) if most < WANTED => {
            log::warn!("only {most} files and TCP connections can be open at a time (ulimit -n)");
        }
        _ => log::debug!("open files: {before:?} raised to {:?}", limit.current),
    }
}
