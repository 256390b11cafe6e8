//! A relay as it is compared, to be loaded by hand.

use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::ServeArgs;

/// Runs it until this process is told to end.
pub(crate) fn serve(args: ServeArgs) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let (peer, place) = args.into_parts();
    if let Some(missing) = peer.missing() {
        return Err(io::Error::other(missing));
    }
    let server = peer.start(&place)?;
    println!(
        "--peer {peer} --url {} --pid {}",
        server.url(),
        server.pid()
    );
    signals.forever().next();
    Ok(())
}
