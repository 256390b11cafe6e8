//! The browser drivers prove themselves on pages from memory, without the relay.
//!
//! Both browsers run at the same time, each in its own test.

use std::{path::Path, time::Duration};

use oneport_tests::{
    Error, Result, artifacts,
    browser::{Browser, Network, Page, Screen},
    stub::Stub,
};
use serde_json::json;

/// For what happens inside one page.
const SOON: Duration = Duration::from_secs(10);

/// Says who was here before in the page's storage, and reports what ran before it.
const VISITED: &str = "<!doctype html><title>Visited</title><script>
    window.before = window.early ?? null;
    window.visits = +(localStorage.visits ?? 0) + 1;
    localStorage.visits = visits;
    console.warn('visit', visits);
</script>";

/// Two peer connections in one page, host candidates only, and a message there and back.
const LOOPBACK: &str = "<!doctype html><title>Loopback</title><script>
    window.echo = async () => {
        const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
        a.onicecandidate = (event) => b.addIceCandidate(event.candidate);
        b.onicecandidate = (event) => a.addIceCandidate(event.candidate);
        b.ondatachannel = ({ channel }) => {
            channel.onmessage = (event) => channel.send('echo of ' + event.data);
        };
        const channel = a.createDataChannel('test');
        const message = new Promise((resolve) => { channel.onmessage = resolve; });
        channel.onopen = () => channel.send('hello');
        await a.setLocalDescription();
        await b.setRemoteDescription(a.localDescription);
        await b.setLocalDescription();
        await a.setRemoteDescription(b.localDescription);
        const { data } = await message;
        a.close();
        b.close();
        return data;
    };
</script>";

fn stub() -> Result<Stub> {
    Stub::serve(&[("/visited", VISITED), ("/loopback", LOOPBACK)])
}

#[test]
fn chromium() -> Result {
    let browser = Browser::chromium()?;
    let stub = stub()?;
    drives_a_page(&browser, &stub)?;
    drives_a_phone(&browser, &stub)?;
    emulates_a_network(&browser, &stub)?;
    kills_one_page(&browser, &stub)?;
    dies(browser, &stub)
}

#[test]
fn firefox() -> Result {
    let browser = Browser::firefox()?;
    let stub = stub()?;
    drives_a_page(&browser, &stub)?;
    let page = browser.blank()?;
    assert!(matches!(page.kill(), Err(Error::Unsupported { .. })));
    assert!(matches!(
        page.emulate_screen(Screen::default()),
        Err(Error::Unsupported { .. })
    ));
    dies(browser, &stub)
}

/// What both browsers can.
fn drives_a_page(browser: &Browser, stub: &Stub) -> Result {
    let page = browser.open(&stub.url("/loopback"))?;
    evaluates(&page)?;
    waits(&page)?;
    takes_a_picture(&page)?;
    assert_eq!(
        page.eval("echo()")?,
        "echo of hello",
        "over a data channel on loopback"
    );
    keeps_users_apart(browser, stub)?;
    page.close()
}

fn evaluates(page: &Page) -> Result {
    assert_eq!(page.eval("document.title")?, "Loopback");
    assert_eq!(page.eval("6 * 7 // a comment")?, 42);
    assert_eq!(page.eval("undefined")?, json!(null));
    assert_eq!(
        page.eval("({ a: [1, null, 'ü'], b: { c: true } })")?,
        json!({ "a": [1, null, "ü"], "b": { "c": true } })
    );
    assert_eq!(
        page.eval("new Promise((resolve) => setTimeout(resolve, 10, 'late'))")?,
        "late"
    );
    for throwing in [
        "(() => { throw new Error('thrown') })()",
        "Promise.reject(new Error('thrown'))",
    ] {
        let error = page.eval(throwing).expect_err("it throws");
        assert!(
            matches!(error, Error::Exception { .. }) && error.to_string().contains("thrown"),
            "{error}"
        );
    }
    let error = page.eval("1 +").expect_err("that is no expression");
    assert!(error.to_string().contains("SyntaxError"), "{error}");
    let error = page.eval_within("new Promise(() => {})", Duration::from_millis(50));
    assert!(matches!(error, Err(Error::Expired { .. })), "{error:?}");
    Ok(())
}

fn waits(page: &Page) -> Result {
    page.eval(
        "(() => { console.log('waiting', 1); setTimeout(() => { window.ready = true; }, 30); })()",
    )?;
    page.wait_for("window.ready", SOON)?;
    let error = page
        .wait_for("window.never", Duration::from_millis(50))
        .expect_err("it never is");
    let text = error.to_string();
    assert!(
        text.contains("window.never in ") && text.contains("waiting 1"),
        "{text}"
    );

    let picture = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("screenshot: "));
    let picture = Path::new(picture.expect("it says where the picture is"));
    artifacts::png_size(&std::fs::read(picture)?)?;
    std::fs::remove_file(picture).map_err(Error::from)
}

fn takes_a_picture(page: &Page) -> Result {
    let size = page.eval("[innerWidth, innerHeight].map((length) => length * devicePixelRatio)")?;
    let (width, height) = artifacts::png_size(&page.screenshot_png()?)?;
    assert_eq!(json!([width, height]), size);
    assert!(
        width >= 1000 && height >= 600,
        "{width}x{height} is no desktop"
    );
    Ok(())
}

/// Every page is another user; what a user stores stays, and a prepared script runs first.
fn keeps_users_apart(browser: &Browser, stub: &Stub) -> Result {
    let first = browser.blank()?;
    first.before_load("window.early = 'early';")?;
    first.go_to(&stub.url("/visited"))?;
    first.go_to(&stub.url("/visited"))?;
    assert_eq!(first.eval("[visits, before]")?, json!([2, "early"]));
    assert!(
        first.console().iter().any(|line| line.contains("visit 2")),
        "{:?}",
        first.console()
    );

    let second = browser.open(&stub.url("/visited"))?;
    assert_eq!(second.eval("[visits, before]")?, json!([1, null]));
    assert!(
        browser.open("http://127.0.0.1:1/").is_err(),
        "nobody serves there"
    );
    Ok(())
}

fn drives_a_phone(browser: &Browser, stub: &Stub) -> Result {
    let page = browser.blank()?;
    let phone = Screen {
        dark: true,
        ..Screen::default()
    };
    page.emulate_screen(phone)?;
    page.go_to(&stub.url("/loopback"))?;
    let seen = "[screen.width, navigator.maxTouchPoints > 0, matchMedia('(prefers-color-scheme: dark)').matches]";
    assert_eq!(page.eval(seen)?, json!([phone.width, true, true]));
    let size = artifacts::png_size(&page.screenshot_png()?)?;
    assert_eq!(
        size,
        (phone.width * Screen::SCALE, phone.height * Screen::SCALE)
    );
    Ok(())
}

fn emulates_a_network(browser: &Browser, stub: &Stub) -> Result {
    let page = browser.open(&stub.url("/visited"))?;
    let fetched = "fetch('/visited').then((response) => response.ok, () => false)";
    page.emulate_network(Network {
        offline: true,
        ..Network::default()
    })?;
    assert_eq!(page.eval(fetched)?, false);
    page.emulate_network(Network::default())?;
    assert_eq!(page.eval(fetched)?, true);
    Ok(())
}

/// The page does not get to say goodbye, and the others go on.
fn kills_one_page(browser: &Browser, stub: &Stub) -> Result {
    let [victim, other] = [
        browser.open(&stub.url("/visited"))?,
        browser.open(&stub.url("/visited"))?,
    ];
    victim.eval("(() => { onpagehide = () => fetch('/goodbye') })()")?;
    victim.kill()?;
    assert_eq!(other.eval("visits")?, 1);
    Ok(())
}

/// A call to a browser that is gone ends at once.
fn dies(browser: Browser, stub: &Stub) -> Result {
    let page = browser.open(&stub.url("/visited"))?;
    browser.kill();
    assert!(matches!(page.eval("1"), Err(Error::Gone { .. })));
    Ok(())
}
