use oneport_tests::{
    Result,
    browser::{Browser, Page},
    relay::Relay,
    stub::Stub,
};

/// A page with no library and nothing of the relay's, on an origin of its own: a foreign site that
/// uses the relay.
const BARE: &str = include_str!("bare.html");

/// A page of that browser with an open channel `x` in that room.
pub(crate) fn join(browser: &Browser, relay: &Relay, room: &str) -> Result<Page> {
    join_with(browser, relay, room, "x")
}

/// [`join`] with a channel of another label.
pub(crate) fn join_with(browser: &Browser, relay: &Relay, room: &str, label: &str) -> Result<Page> {
    let stub = Stub::serve(&[("/", BARE)])?;
    let page = browser.open(&stub.url("/"))?;
    page.eval(&format!("join('{}r/{room}', '{label}')", relay.url()))?;
    Ok(page)
}
