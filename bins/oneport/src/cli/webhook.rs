//! Where events are told.

use std::path::PathBuf;

use clap::Args;
use oneport_wire::RoomPattern;

use crate::webhook::WebhookUrl;

/// Where events are told, and which.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Webhook")]
pub struct WebhookArgs {
    /// Tell this server what happens, by POST.
    ///
    /// Which rooms come and go, and who is in them. Each request is signed, so it needs a secret.
    #[arg(long, value_name = "URL")]
    pub webhook: Option<WebhookUrl>,

    /// The file with the secret that signs what the webhook is told.
    ///
    /// `whsec_` and 24 to 64 bytes in base64, as webhook libraries take it. ONEPORT_WEBHOOK_SECRET may
    /// have it instead.
    #[arg(long, value_name = "PATH")]
    pub webhook_secret_file: Option<PathBuf>,

    /// Believe these certificate authorities of an https:// webhook, and no others: a PEM file.
    ///
    /// Default: those that browsers believe.
    #[arg(long, value_name = "PATH")]
    pub webhook_ca: Option<PathBuf>,

    /// Tell the webhook the messages of these rooms, too: a name, or a pattern such as `team-*`.
    ///
    /// Repeat it for others. Default: of no room.
    #[arg(long, value_name = "ROOM")]
    pub webhook_messages: Vec<RoomPattern>,
}

impl WebhookArgs {
    /// Whether nothing is said of a webhook but, perhaps, where it is. Not clap's to see: one part may be
    /// typed and the other one in a file.
    pub fn is_about_none(&self) -> bool {
        self.webhook_secret_file.is_none()
            && self.webhook_ca.is_none()
            && self.webhook_messages.is_empty()
    }
}
