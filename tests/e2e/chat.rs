//! People chat.

use oneport_tests::{Result, artifacts, relay::Relay};

use crate::{
    stage::Stage,
    user::{Message, User, crowd, each},
};

const USERS_OF_EACH: usize = 5;
const MESSAGES_OF_EACH: usize = 8;

/// The last message: the relay orders it behind all others.
const LAST: &str = "and that was it";

#[test]
fn ten_people_talk_at_once_and_all_hear_everything() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let users = crowd(stage.both(), USERS_OF_EACH, &relay.room_url("ten"))?;

    each(&users, |user| user.say(&said_by(&user.name)))?;
    for user in &users {
        each(&users, |listener| {
            said_by(&user.name)
                .iter()
                .try_for_each(|text| listener.hears(text))
        })?;
    }
    users[0].say(&[LAST.to_owned()])?;
    each(&users, |user| user.hears(LAST))?;

    for browser in stage.both() {
        let user = users
            .iter()
            .find(|user| user.name.starts_with(browser.name()));
        let picture = artifacts::path(&format!("conversation-{}.png", browser.name()))?;
        user.expect("the crowd is mixed")
            .page
            .screenshot(&picture)?;
    }
    let mut seen = Vec::new();
    for user in &users {
        seen.push((user, user.messages()?));
    }
    check_everything_is_there(&seen, &users);
    check_the_order(&seen);
    Ok(())
}

fn said_by(name: &str) -> Vec<String> {
    (1..=MESSAGES_OF_EACH)
        .map(|number| format!("{name} says {number}"))
        .collect()
}

/// Each page shows each message exactly once, with its sender's name, and each sender's in order.
fn check_everything_is_there(seen: &[(&User, Vec<Message>)], users: &[User]) {
    for (user, messages) in seen {
        assert_eq!(
            messages.len(),
            users.len() * MESSAGES_OF_EACH + 1,
            "at {}",
            user.name
        );
        for sender in users {
            let of_sender = messages
                .iter()
                .filter(|message| message.from == sender.name);
            let (own, texts): (Vec<_>, Vec<_>) = of_sender
                .map(|message| (message.own, message.text.as_str()))
                .unzip();
            let mut expected = said_by(&sender.name);
            if sender.name == users[0].name {
                expected.push(LAST.to_owned());
            }
            assert_eq!(texts, expected, "of {} at {}", sender.name, user.name);
            assert!(
                own.iter().all(|&own| own == (sender.name == user.name)),
                "at {}",
                user.name
            );
        }
    }
}

/// The relay has one order for everybody. A page shows its own messages when it sends them, and moves
/// them to their place in it.
fn check_the_order(seen: &[(&User, Vec<Message>)]) {
    let texts = |messages: &[Message]| -> Vec<_> {
        messages
            .iter()
            .map(|message| message.text.clone())
            .collect()
    };
    let (first, order) = &seen[0];
    for (user, messages) in seen {
        assert_eq!(
            texts(messages),
            texts(order),
            "{} and {}",
            user.name,
            first.name
        );
    }
}

#[test]
fn two_rooms_do_not_mix() -> Result {
    let stage = Stage::set()?;
    let relay = Relay::on_loopback()?;
    let red = crowd(stage.both(), 1, &relay.room_url("red"))?;
    let blue = crowd(stage.both(), 1, &relay.room_url("blue"))?;

    let mut expected = Vec::new();
    for round in 1..=3 {
        for speaker in 0..2 {
            let text = |room: &str| format!("{room} {round} {speaker}");
            for (users, room) in [(&red, "red"), (&blue, "blue")] {
                users[speaker].say(&[text(room)])?;
                each(users, |user| user.hears(&text(room)))?;
            }
            expected.push(format!("{round} {speaker}"));
        }
    }
    for (users, room) in [(&red, "red"), (&blue, "blue")] {
        for user in users {
            let expected: Vec<_> = expected
                .iter()
                .map(|text| format!("{room} {text}"))
                .collect();
            assert_eq!(user.texts()?, expected, "in {room} at {}", user.name);
        }
    }
    Ok(())
}
