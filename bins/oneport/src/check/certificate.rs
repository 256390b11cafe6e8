//! A relay's certificate, as a client sees it.

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConnection, Error};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::{Finding, Good, SILENT};
use crate::Trust;

/// How long one part of a handshake may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Certbot renews 30 days before the end: two weeks before, it has not.
const DAYS_LEFT_MIN: u64 = 14;

/// Looks at the certificate of the host at the other end.
pub(super) fn look(host: &str, mut stream: TcpStream, trust: &Trust) -> Finding {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let config = trust.for_tls().map_err(|error| text(&error))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| text(&error))?;
    let mut tls = ClientConnection::new(Arc::new(config), name).map_err(|error| text(&error))?;
    for set in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
        set(&stream, Some(TIMEOUT)).map_err(|error| text(&error))?;
    }
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)
            .map_err(|error| explain(&error))?;
    }
    let version = tls.protocol_version().and_then(|version| version.as_str());
    let version = version.unwrap_or("TLS").replace("v1_", " 1.");
    let own = tls.peer_certificates().and_then(<[_]>::first);
    let not_after = own
        .and_then(|own| Certificate::from_der(own).ok())
        .map(|own| {
            let validity = own.tbs_certificate().validity();
            UNIX_EPOCH + validity.not_after.to_unix_duration()
        });
    let not_after = not_after.ok_or("the certificate cannot be read")?;
    let left = not_after
        .duration_since(SystemTime::now())
        .unwrap_or_default();
    let days = left.as_secs() / (24 * 60 * 60);
    let until = humantime::format_rfc3339_seconds(not_after);
    let found = format!("{version}, certificate valid until {until}, {days} days from now");
    Ok(match days < DAYS_LEFT_MIN {
        true => Good::Warning(format!("{found}: see that it is renewed")),
        false => Good::Ok(found),
    })
}

fn explain(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(Error::InvalidCertificate(fault)) => match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the certificate has expired: renew it".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the certificate is not valid yet: is one of the clocks wrong?".to_owned()
            }
            CertificateError::UnknownIssuer => {
                "no known authority has signed the certificate: give --tls-cert the whole chain \
                 (fullchain.pem), or this check --ca with the authority's own"
                    .to_owned()
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the certificate is for another name than that in the URL".to_owned()
            }
            CertificateError::Other(cause) if cause.to_string().contains("CaUsedAsEndEntity") => {
                "the certificate is an authority's own, which no host may show: for a self-signed one, \
                 openssl wants -addext basicConstraints=critical,CA:FALSE"
                    .to_owned()
            }
            other => format!("the certificate cannot be used: {other}"),
        },
        Some(Error::InvalidMessage(_)) => {
            "what answers there speaks no TLS: has the relay --tls-cert?".to_owned()
        }
        // Both are what systems say of a timeout.
        _ if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => SILENT.to_owned(),
        _ => format!("the handshake failed: {error}"),
    }
}
