//! TLS, and proxies that speak it instead.

use std::path::PathBuf;

use clap::Args;
use oneport_signal::Cidr;

/// How the page and signaling are encrypted on their way. Data always is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArgs {
    /// Serve the page and signaling by https, with this certificate.
    ///
    /// PEM, the certificates that lead to a known authority behind it (certbot's fullchain.pem). A new
    /// one is taken up within seconds. Plain http is led to https then.
    #[arg(long, value_name = "PATH")]
    pub tls_cert: Option<PathBuf>,

    /// The key of the certificate: PEM (certbot's privkey.pem).
    #[arg(long, value_name = "PATH")]
    pub tls_key: Option<PathBuf>,

    /// A reverse proxy, or a range of them: who comes from there is whom its X-Forwarded-For names.
    ///
    /// Without it that header is ignored, as anybody could write it. Repeat it for several.
    #[arg(long, value_name = "CIDR")]
    pub trust_proxy: Vec<Cidr>,
}
