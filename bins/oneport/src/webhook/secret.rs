//! The secret that signs what a webhook is told.

use std::fmt;
use std::path::Path;

use aws_lc_rs::hmac;
use data_encoding::BASE64;

use crate::token::{Secret, SecretError};

/// The key of the signatures. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub(super) struct WebhookSecret(hmac::Key);

impl WebhookSecret {
    /// What it begins with, so that nobody takes it for another secret. The rest is base64.
    const PREFIX: &str = "whsec_";

    /// How many bytes it has, as Standard Webhooks says.
    const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

    /// The environment variable that may hold the secret.
    pub(super) const VARIABLE: &str = "ONEPORT_WEBHOOK_SECRET";

    /// The secret of this process: in the file, if one is named, or else in the environment, or else
    /// there is none.
    pub(super) fn find(file: Option<&Path>) -> Result<Option<Self>, WebhookSecretError> {
        let text = Secret::find_in(file, Self::VARIABLE).map_err(|error| match error {
            SecretError::TooShort | SecretError::TooLong => WebhookSecretError::Malformed,
            unreadable @ SecretError::Unreadable { .. } => {
                WebhookSecretError::Unreadable(unreadable)
            }
        })?;
        text.map(|text| Self::new(text.reveal())).transpose()
    }

    pub(super) fn new(text: &[u8]) -> Result<Self, WebhookSecretError> {
        let base64 = text.trim_ascii().strip_prefix(Self::PREFIX.as_bytes());
        let bytes = base64.and_then(|base64| BASE64.decode(base64).ok());
        let bytes = bytes.filter(|bytes| Self::BYTES.contains(&bytes.len()));
        let bytes = bytes.ok_or(WebhookSecretError::Malformed)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The signature of a delivery: of its id, the time at which it is sent, and its body.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", BASE64.encode(context.sign().as_ref()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// Why there is no secret for a webhook. Says nothing of what was found instead.
#[derive(Debug)]
pub enum WebhookSecretError {
    /// It has another form.
    Malformed,
    /// Its file cannot be read.
    Unreadable(SecretError),
}

impl WebhookSecretError {
    /// The exit code: 2 where another secret would help, 1 where the file is out of reach.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Malformed => 2,
            Self::Unreadable(error) => error.exit_code(),
        }
    }
}

impl fmt::Display for WebhookSecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str(
                "the webhook's secret is whsec_ and 24 to 64 bytes in base64: make one with \
                 echo whsec_$(openssl rand -base64 32)",
            ),
            Self::Unreadable(error) => write!(f, "of the webhook: {error}"),
        }
    }
}

impl std::error::Error for WebhookSecretError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification, for which other implementations have the same result.
    #[test]
    fn signs_as_others_do() {
        let secret = WebhookSecret::new(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
        let body = br#"{"test": 2432232314}"#;
        let signature =
            secret
                .expect("a secret")
                .sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn other_texts_are_none_and_are_not_printed() {
        let long = format!("whsec_{}", BASE64.encode(&[1; 65]));
        let short = format!("whsec_{}", BASE64.encode(&[1; 23]));
        for text in [
            "",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_secret!",
            &long,
            &short,
        ] {
            let error = WebhookSecret::new(text.as_bytes()).expect_err(text);
            assert!(!error.to_string().contains("secret!"), "{error}");
        }
    }
}
