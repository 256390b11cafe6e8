//! Files on the page.

use std::time::Duration;

use oneport_tests::{Result, artifacts, relay::Relay};
use serde_json::json;

use crate::{
    stage::Stage,
    user::{User, crowd, each},
};

/// For some megabytes in a debug build.
const TRANSFER: Duration = Duration::from_secs(40);

/// Of a chat message while a file passes, on one machine.
const CHAT_DELAY_MS_MAX: u64 = 1_000;

const FILE: &str = "all('li[data-file]').at(-1)";

#[test]
fn a_dropped_file_arrives_whole_and_does_not_delay_the_chat() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let users = crowd(stage.both(), 1, &relay.room_url("files"))?;
    for (sender, receiver) in [(&users[0], &users[1]), (&users[1], &users[0])] {
        let sent = sender.page.eval(
            "(async () => {
                const bytes = noise(4_000_000);
                drop(new File([bytes], 'noise.bin'));
                return hash(bytes);
            })()",
        )?;
        // Nobody has all of it yet.
        receiver.waits_for(&format!(
            "{FILE}?.dataset.file === 'moving' && {FILE}.querySelector('progress').value > 0"
        ))?;
        let text = format!("while it moves, {}", sender.name);
        let said_at = sender.page.eval("Date.now()")?.as_u64().unwrap_or_default();
        sender.say(std::slice::from_ref(&text))?;
        receiver.hears(&text)?;
        let moving = receiver.page.eval(&format!("{FILE}.dataset.file"))?;
        let heard_at = receiver
            .page
            .eval(&format!("arrivals[{}]", json!(text)))?
            .as_u64()
            .unwrap_or(u64::MAX);
        let delay = heard_at.saturating_sub(said_at);
        println!("a chat message while a file passes: {delay} ms, the file then: {moving}");
        assert!(delay <= CHAT_DELAY_MS_MAX, "{delay} ms");

        each([sender, receiver], |user| {
            user.page.wait_for(
                &format!("{FILE}.dataset.file === 'done' || {FILE}.outerHTML"),
                TRANSFER,
            )
        })?;
        let saved = format!(
            "(({{ href, download }}) => blobs[href].arrayBuffer().then(hash).then((hash) => [hash, download]))({FILE}.querySelector('.save'))"
        );
        assert_eq!(receiver.page.eval(&saved)?, json!([sent, "noise.bin"]));
    }
    Ok(())
}

#[test]
fn pictures_private_files_and_those_that_are_given_up() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let url = relay.room_url("pictures");
    let mut users = crowd(stage.both(), 1, &url)?;
    users.push(User::enter(stage.chromium, &url)?);
    each(&users, |user| user.sees_people(3))?;
    let [ada, bob, eve] = [&users[0], &users[1], &users[2]];

    // Only a real picture is shown as one.
    ada.page.eval(
        "(async () => {
            const canvas = Object.assign(document.createElement('canvas'), { width: 120, height: 80 });
            canvas.getContext('2d').fillRect(10, 10, 50, 50);
            const picture = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
            drop(new File([picture], 'picture.png', { type: 'image/png' }), new File(['<script>'], 'page.html', { type: 'text/html' }));
        })()",
    )?;
    bob.waits_for("shown('.file-name').length === 2 && all('.save').length === 2")?;
    bob.waits_for("all('.preview').length === 1 && all('.preview')[0].naturalWidth === 120")?;
    // And at its sender, before anybody has it.
    assert_eq!(ada.page.eval("all('.preview').length")?, json!(1));
    ada.waits_for("all('.preview')[0].naturalWidth === 120")?;
    let types = "all('.save').map(({ href }) => blobs[href].type)";
    assert_eq!(
        bob.page.eval(types)?,
        json!(["image/png", "application/octet-stream"])
    );

    // To one person alone.
    ada.writes_to(&bob.name)?;
    ada.page.eval("drop(new File(['for bob'], 'secret.txt'))")?;
    bob.waits_for("shown('.file-name').includes('secret.txt') && all('.save').length === 3")?;
    let audience = format!("{FILE}.querySelector('.audience').textContent");
    assert_eq!(bob.page.eval(&audience)?, json!("to you alone"));
    ada.page
        .eval("document.querySelector('#recipient-clear').click()")?;
    ada.page.eval("drop(new File(['for all'], 'public.txt'))")?;
    each([bob, eve], |user| {
        user.waits_for("shown('.file-name').includes('public.txt') || shown('.file-name')")
    })?;
    assert!(
        !eve.page
            .eval("shown('.file-name')")?
            .to_string()
            .contains("secret")
    );

    // One of them does not want it, then the sender gives it up, with what waits behind it: everybody is
    // told.
    ada.page
        .eval("drop(new File([noise(30_000_000)], 'huge.bin'))")?;
    bob.waits_for(&format!(
        "{FILE}.dataset.file === 'moving' || {FILE}.outerHTML"
    ))?;
    bob.page
        .eval(&format!("{FILE}.querySelector('.cancel').click()"))?;
    let declined = json!(format!("Not taken by {} (canceled)", bob.name));
    ada.waits_for(&format!(
        "shown('.declined')[0] === {declined} || shown('.declined')"
    ))?;
    ada.page.screenshot(&artifacts::path("files.png")?)?;
    ada.page.eval("drop(new File(['x'], 'next.txt'))")?;
    ada.page
        .eval("all('.cancel').reverse().map((cancel) => cancel.click()).length")?;
    ada.waits_for("all('li[data-file=failed]').length === 2")?;
    each([ada, bob, eve], |user| {
        user.waits_for(&format!(
            "{FILE}.dataset.file === 'failed' || {FILE}.outerHTML"
        ))
    })?;

    // Another room: the browser may forget them.
    let urls = bob.page.eval("all('.save').map(({ href }) => href)")?;
    bob.page.eval("location.hash = 'elsewhere'")?;
    bob.waits_for("all('.save').length === 0 && revoked.length >= 4")?;
    assert_eq!(bob.page.eval("revoked")?, urls);
    Ok(())
}

/// Markup in whatever a stranger can choose stays text.
#[test]
fn what_strangers_write_is_text() -> Result {
    const MARKUP: &str = "<img src=x onerror=\"window.hacked=1\">";
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let users = crowd(stage.both(), 1, &relay.room_url("markup"))?;
    let [ada, bob] = [&users[0], &users[1]];
    let name = &MARKUP[..30];
    ada.rename(name)?;
    bob.is_told(&format!("{} is now {name}", ada.name))?;
    ada.say(&[
        MARKUP.into(),
        "javascript:alert(1) https://example.com/\"onclick=x".into(),
    ])?;
    bob.hears(MARKUP)?;
    bob.hears("javascript:alert(1) https://example.com/\"onclick=x")?;
    ada.page
        .eval(&format!("drop(new File(['x'], {}))", json!(MARKUP)))?;
    bob.waits_for("all('.save').length === 1")?;
    // The list of people is drawn a little later.
    bob.waits_for("shown('#people .name').includes(all('li[data-id] .name')[0].textContent)")?;
    let found =
        "[window.hacked ?? 0, all('#messages img, #people img, [onerror], [onclick]').length,
        all('#messages a:not(.save)').map((link) => link.href)]";
    assert_eq!(
        bob.page.eval(found)?,
        json!([0, 0, ["https://example.com/"]])
    );
    Ok(())
}
