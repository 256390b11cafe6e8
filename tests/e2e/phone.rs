//! The page on a small screen, and on others.

use oneport_tests::{Result, artifacts, browser::Screen, relay::Relay};
use serde_json::json;

use crate::{
    member,
    stage::Stage,
    user::{User, each},
};

/// What breaks layouts: words without a place to break, and lines.
const TALK: [&str; 4] = [
    "Shall we meet at the harbour tomorrow? I can bring coffee for everybody, and the long list too.",
    "https://example.com/a/path/that/goes/on/and/on/without/a/single/space/in/it?and=a&query=too#end",
    "DonaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftDonaudampfschiff",
    "one\ntwo\nthree",
];

/// Names of 64 bytes: without a place to break, of wide letters, and of words.
const NAMES: [&str; 3] = [
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}\u{416}",
    "Ada Augusta King, Countess of Lovelace, of the Analytical Engine",
];

/// Longer than any screen is wide, without a place to break.
const FILE_NAME: &str = "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW.png";

/// In a page that has the library: three members of one room, and what they do there.
const OTHERS: &str = "(async () => {
    const { connect } = await import(`${URL_}oneport.js`);
    window.rooms = NAMES.map((name) => connect({ url: URL_ }).join('narrow', { name }));
    await Promise.all(rooms.map(({ joined }) => joined));
    window.type = () => rooms.forEach((room) => room.send('', { topic: 'chat.typing', class: 'lossy' }));
    window.idOf = (own) => [...rooms[0].members.values()].find(({ name }) => name === own).id;
    window.talk = async (texts, own) => {
        for (const [number, text] of texts.entries()) await rooms[number % 3].send(text, { topic: 'chat' });
        await rooms[2].send('psst', { topic: 'chat', to: [idOf(own)] });
        const picture = Uint8Array.from(atob(PICTURE), (char) => char.charCodeAt(0));
        const blob = new Blob([picture], { type: 'image/png' });
        await rooms[0].sendBlob(blob, { name: FILE_NAME });
    };
})()";

/// A PNG of one pixel, in base64.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// As if the link could be copied, in a room where most is said of it.
const COPY: &str = "import('/panels.js').then(({ describeInvite }) => {
    describeInvite({ room: 'narrow', token: 'x', key: 'y' });
    Document.prototype.execCommand = () => true;
    document.querySelector('#invite').click();
    return new Promise(requestAnimationFrame);
})";

/// As wide as a small phone, a phone, and a desktop's window.
const WIDTHS: [u32; 3] = [320, 390, 1280];

/// That nothing is too wide, and that the whole composer is on the screen.
fn fits(user: &User, state: &str, width: u32, scheme: &str) -> Result {
    // Whatever arrives has arrived by then.
    user.page.eval("Promise.all(document.getAnimations().map((animation) => animation.effect.getTiming().iterations === Infinity || animation.finished))")?;
    let problems = user.page.eval(&format!("layoutProblems({width})"))?;
    let picture = artifacts::path(&format!(
        "page-{state}-{width}-{scheme}-{}.png",
        user.browser()
    ))?;
    user.page.screenshot(&picture)?;
    assert_eq!(problems, json!([]), "see {}", picture.display());
    Ok(())
}

#[test]
fn the_page_fits_a_phone() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let url = relay.room_url("a-room-with-a-rather-long-name-for-such-a-small-screen");
    let desktop = User::enter(stage.firefox, &url)?;
    for width in [320, 360] {
        for dark in [false, true] {
            let user = User::at_the_door(stage.chromium)?;
            user.page.emulate_screen(Screen {
                width,
                dark,
                ..Screen::default()
            })?;
            user.go_in(&url)?;
            each([&desktop, &user], |user| user.sees_people(2))?;

            let scheme = if dark { "dark" } else { "light" };
            let tell = |text: &&str| format!("{text} ({width} {scheme})");
            desktop.say(&TALK.iter().map(tell).collect::<Vec<_>>())?;
            user.hears(&tell(&TALK[3]))?;
            user.say(&[format!("That fits into {width}")])?;

            fits(&user, "phone", width, scheme)?;
            user.page.close()?;
            desktop.sees_people(1)?;
        }
    }
    Ok(())
}

/// Pictures for a person to look at: nothing sticks out, and nothing moves the composer off the screen.
#[test]
fn every_state_fits_every_screen() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    for (width, height, touch) in [(390, 844, true), (1280, 800, false)] {
        for dark in [false, true] {
            let scheme = if dark { "dark" } else { "light" };
            let room = format!("harbour-{width}-{scheme}");
            let user = User::at_the_door(stage.chromium)?;
            user.page.emulate_screen(Screen {
                width,
                height,
                dark,
                touch,
            })?;
            let look = |state: &str| fits(&user, state, width, scheme);
            user.page.go_to(&relay.room_url("not a room!"))?;
            user.waits_for("document.documentElement.dataset.state === 'refused'")?;
            look("refused")?;
            user.page.go_to("about:blank")?;
            user.go_in(&relay.room_url(&room))?;
            user.sees_people(1)?;
            user.rename("Ada")?;
            look("empty")?;

            let bob = User::enter(stage.firefox, &relay.room_url(&room))?;
            bob.rename("Bob from the other side")?;
            each([&bob, &user], |user| user.sees_people(2))?;
            let tell = |text: &&str| format!("{text} ({width} {scheme})");
            bob.say(&TALK.iter().map(tell).collect::<Vec<_>>())?;
            user.hears(&tell(&TALK[3]))?;
            user.say(&["Coffee is fine.".into(), "At nine?".into()])?;
            user.sees_delivery("At nine?", "delivered")?;
            bob.page.eval(
                "(async () => {
                    const canvas = Object.assign(document.createElement('canvas'), { width: 480, height: 300 });
                    const pen = canvas.getContext('2d');
                    pen.fillStyle = '#2a9d8f';
                    pen.fillRect(0, 0, 480, 300);
                    pen.fillStyle = '#e9c46a';
                    pen.fillRect(40, 40, 200, 120);
                    const picture = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
                    drop(new File([picture], 'the harbour.png', { type: 'image/png' }), new File([noise(1_500_000)], 'charts.tar.gz'));
                })()",
            )?;
            user.waits_for("all('.save').length === 2")?;
            user.page.eval("drop(new File([noise(90_000_000)], 'the long list, in full, with all its appendices.pdf'))")?;
            user.waits_for("all('[data-file=moving]').length === 1")?;
            look("files")?;
            user.page
                .eval("document.querySelector('.cancel').click()")?;
            user.waits_for("all('[data-file=failed]').length === 1")?;

            user.writes_to("Bob from the other side")?;
            user.say(&["Only for you: bring the good cups.".into()])?;
            bob.cut()?;
            user.waits_for("away().length === 1")?;
            if touch {
                user.page
                    .eval("document.querySelector('#people-toggle').click()")?;
            }
            look("private")?;
            user.page.eval("document.querySelector('#log').click()")?;
            user.cut()?;
            user.waits_for("document.documentElement.dataset.state === 'reconnecting'")?;
            user.say(&["Is anybody there?".into()])?;
            user.waits_for("!document.querySelector('#notice').hidden")?;
            look("lost")?;
        }
    }
    Ok(())
}

/// Names, words and files that are as long as they may be.
#[test]
fn nothing_is_wider_than_the_screen() -> Result {
    let stage = Stage::set()?;
    for browser in stage.both() {
        let relay = Relay::on_loopback()?;
        let user = User::at_the_door(browser)?;
        // As over plain http, where nothing can be copied for the reader.
        user.page
            .before_load("Object.defineProperty(Navigator.prototype, 'clipboard', { get: () => undefined }); Document.prototype.execCommand = () => false;")?;
        user.go_in(&relay.room_url("narrow"))?;
        let own = "A".repeat(64);
        user.rename(&own)?;
        let others = member::blank(stage.chromium)?;
        let enter = (OTHERS.replace("URL_", &json!(relay.url()).to_string()))
            .replace("NAMES", &json!(NAMES).to_string())
            .replace("FILE_NAME", &json!(FILE_NAME).to_string())
            .replace("PICTURE", &json!(PICTURE).to_string());
        others.eval(&enter)?;
        user.sees_people(4)?;
        others.eval(&format!("talk({}, {})", json!(TALK), json!(own)))?;
        user.waits_for("all('.preview').length === 1")?;
        user.say(&[TALK[2].to_owned(), TALK[1].to_owned()])?;
        user.page.eval(&format!(
            "drop(new File(['x'], {}))",
            json!(FILE_NAME.replace("png", "pdf"))
        ))?;
        user.waits_for("all('[data-file=done]').length === 2")?;

        let everywhere = |state: &str, prepare: &str| -> Result {
            for width in WIDTHS {
                let screen = Screen {
                    width,
                    height: 740,
                    dark: browser.name() == "chromium" && width == 390,
                    touch: browser.name() == "chromium" && width < 1280,
                };
                user.page.emulate_screen(screen)?;
                user.page.eval(prepare)?;
                let scheme = if screen.dark { "dark" } else { "light" };
                fits(&user, state, width, scheme)?;
            }
            Ok(())
        };
        others.eval("type()")?;
        user.waits_for("shown('#typing')[0].includes(' are writing') || shown('#typing')")?;
        everywhere("typing", "1")?;
        let is_written = "shown('#typing')[0].includes(' are writing')";
        assert_eq!(user.page.eval(is_written)?, json!(true), "all the while");
        everywhere(
            "people",
            "document.documentElement.toggleAttribute('data-people', true)",
        )?;
        user.page.eval("document.querySelector('#log').click()")?;
        user.writes_to(NAMES[0])?;
        others.eval("rooms[0].leave()")?;
        user.waits_for("shown('#recipient-gone')[0] === 'who has left'")?;
        user.page.eval("drop(new File(['x'], 'x.txt'))")?;
        user.waits_for("shown('#hint.problem').length === 1")?;
        everywhere("problem", "document.querySelector('#invite').click()")?;
        everywhere(
            "dialog",
            "document.querySelector('#kick').open || import('/kick.js').then(({ askToKick }) => askToKick('W'.repeat(64), () => {}))",
        )?;
        user.page.eval("document.querySelector('#kick').close()")?;
        user.cut()?;
        user.waits_for("!document.querySelector('#notice').hidden")?;
        everywhere("notice", "1")?;
        everywhere("copied", COPY)?;
        user.page.close()?;
    }
    Ok(())
}
