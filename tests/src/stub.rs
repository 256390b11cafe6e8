//! Small pages from memory, for tests that need an origin but no relay.

use std::{
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use crate::Result;

/// Serves its pages on loopback until the test process ends.
#[derive(Debug)]
pub struct Stub {
    address: SocketAddr,
}

impl Stub {
    /// Starts to serve pages, given as path and HTML.
    ///
    /// # Errors
    /// When no socket can be had.
    pub fn serve(pages: &[(&str, &str)]) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let owned = |&(path, html): &(&str, &str)| (path.to_owned(), html.to_owned());
        let pages: Arc<[(String, String)]> = pages.iter().map(owned).collect();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = pages.clone();
                // One thread each: browsers open connections that they do not use.
                thread::spawn(move || answer(stream, &pages));
            }
        });
        Ok(Self { address })
    }

    /// The address of the page with that path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn answer(mut stream: TcpStream, pages: &[(String, String)]) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let page = pages.iter().find(|(known, _)| known == path);
    let (status, html) = page.map_or(("404 Not Found", "no such page"), |(_, html)| {
        ("200 OK", html)
    });
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{html}",
        html.len()
    )
}
