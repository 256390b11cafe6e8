//! A bot: it answers every message that starts with "!".
//!
//! ```sh
//! cargo run -p oneport --example bot -- http://127.0.0.1:3478 lobby
//! ```

use std::time::Duration;

use oneport::Participant;
use oneport::client::{Event, Join, Payload, join};
use oneport::wire::RoomName;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or("http://127.0.0.1:3478".into());
    let room: RoomName = arguments.next().as_deref().unwrap_or("lobby").parse()?;
    let mut bot = Participant::connect(&url, room.clone(), None)?;
    let name = Some("bot".parse()?);
    bot.join(Join {
        name,
        ..join(room.clone())
    })?;
    loop {
        if let Some(Event::Message { message, .. }) = bot.next_event(Duration::from_secs(60))?
            && let Payload::Text(text) = &message.payload
            && let Some(words) = text.strip_prefix('!')
        {
            bot.say(&room, message.topic.as_str(), &format!("you said: {words}"))?;
        }
    }
}
