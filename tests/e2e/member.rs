use std::time::Duration;

use oneport_tests::{
    Result,
    browser::{Browser, Page},
    relay::Relay,
    stub::Stub,
};
use serde_json::{Value, json};

use crate::user::SOON;

/// A page of another origin that uses the browser library.
pub(crate) const LIBRARY: &str = include_str!("library.html");

/// For a page that has to notice that it is cut off, and to find back.
pub(crate) const BACK_AGAIN: Duration = Duration::from_secs(25);

/// A page that has the helpers and is nowhere yet.
pub(crate) fn blank(browser: &Browser) -> Result<Page> {
    let stub = Stub::serve(&[("/", LIBRARY)])?;
    browser.open(&stub.url("/"))
}

/// A member called like its browser, in the room `library`.
pub(crate) fn enter(browser: &Browser, relay: &Relay) -> Result<Page> {
    let page = blank(browser)?;
    enter_as(&page, relay, browser.name(), json!({}))?;
    Ok(page)
}

pub(crate) fn enter_as(page: &Page, relay: &Relay, name: &str, more: Value) -> Result<Value> {
    let mut options = more;
    options["name"] = name.into();
    let options = json!({ "options": options });
    page.eval(&format!("enter('{}', 'library', {options})", relay.url()))
}

pub(crate) fn say(page: &Page, text: &str) -> Result<Value> {
    page.eval(&format!("room.send({})", json!(text)))
}

pub(crate) fn hears(page: &Page, text: &str) -> Result {
    let text = json!(text);
    page.wait_for(&format!("texts().includes({text}) || texts()"), SOON)
}

pub(crate) fn sees(page: &Page, names: &[&str]) -> Result {
    let names = json!(names).to_string();
    page.wait_for(
        &format!("JSON.stringify(names()) === '{names}' || names()"),
        SOON,
    )
}

/// `prefix 1` to `prefix count`.
pub(crate) fn series(prefix: &str, count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("{prefix} {number}"))
        .collect()
}

pub(crate) fn no_faults<'p>(pages: impl IntoIterator<Item = &'p Page>) -> Result {
    for page in pages {
        assert_eq!(
            page.eval("[faults, gaps]")?,
            json!([[], []]),
            "at {}",
            page.name()
        );
    }
    Ok(())
}

pub(crate) fn rises(page: &Page) -> Result {
    let rises = "messages.every((m, i) => i === 0 || m.offset > messages[i - 1].offset)";
    assert_eq!(page.eval(rises)?, true, "at {}", page.name());
    Ok(())
}

/// From here on the page keeps errors that nobody handles in `unexpected`.
pub(crate) fn watch_errors(page: &Page) -> Result {
    page.eval(
        "(() => {
            window.unexpected = [];
            addEventListener('error', ({ message }) => unexpected.push(message));
            addEventListener('unhandledrejection', ({ reason }) => unexpected.push(String(reason)));
        })()",
    )?;
    Ok(())
}
