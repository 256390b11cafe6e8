//! The page on a small screen, and on others.

use oneport_tests::{Result, artifacts, browser::Screen, relay::Relay};
use serde_json::json;

use crate::{
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

/// The width, and whether both the composer and its button are whole on the screen.
const LAYOUT: &str = "(() => {
    const visible = (selector) => {
        const { top, left, bottom, right } = document.querySelector(selector).getBoundingClientRect();
        return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth && bottom > top;
    };
    return [document.documentElement.scrollWidth, innerWidth, visible('#composer'), visible('#text')];
})()";

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

            // A phone shows a page that is too wide by zooming out: then `innerWidth` is larger.
            let layout = user.page.eval(LAYOUT)?;
            let picture = artifacts::path(&format!("phone-{width}-{scheme}.png"))?;
            user.page.screenshot(&picture)?;
            assert_eq!(
                layout,
                json!([width, width, true, true]),
                "see {}",
                picture.display()
            );
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
            let look = |state: &str| -> Result {
                let picture = artifacts::path(&format!("page-{state}-{width}-{scheme}.png"))?;
                // Whatever arrives has arrived by then.
                user.page.eval("Promise.all(document.getAnimations().map((animation) => animation.effect.getTiming().iterations === Infinity || animation.finished))")?;
                let layout = user.page.eval(LAYOUT)?;
                user.page.screenshot(&picture)?;
                assert_eq!(
                    layout,
                    json!([width, width, true, true]),
                    "see {}",
                    picture.display()
                );
                Ok(())
            };
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
