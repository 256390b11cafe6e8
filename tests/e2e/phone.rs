//! The page on a small screen.

use oneport_tests::{Result, artifacts, browser::Phone, relay::Relay};
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
            user.page.emulate_phone(Phone {
                width,
                dark,
                ..Phone::default()
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
