//! Offers of many WebRTC stacks and the form of their answers. Whole offers are in `fuzz/corpus/offers`.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use oneport_link::{Certificate, Credentials, Link, LinkConfig, Offer, OfferError};

const AUDIO: &str = "UDP/TLS/RTP/SAVPF 111 63 0";
const CODEC: &str = "a=rtcp-mux\r\na=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\n\
                     a=fmtp:63 111/111\r\na=fmtp:111 useinbandfec=1\r\n";
const DATA: &str = "UDP/DTLS/SCTP webrtc-datachannel";
const SHA_256: &str = "sha-256 C6:2E:46:15:BD:39:E2:22:57:2F:3A:1B:F7:C2:13:2E:A1:E6:5B:17:EC:80:50:47:\
                       BD:6B:28:42:C5:93:49:3F";

/// An offer of these session attributes and sections.
fn offer(session: &str, sections: &[String]) -> String {
    let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    format!("{head}{session}{}", sections.concat())
}

/// A section with a transport of its own.
fn section(media: &str, mid: &str, attributes: &str) -> String {
    let transport = transport(mid);
    format!("m={media}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n{transport}{attributes}")
}

/// A section with port 0, which uses the transport of another one.
fn bundle_only(media: &str, mid: &str, attributes: &str) -> String {
    format!("m={media}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na=bundle-only\r\n{attributes}")
}

fn transport(name: &str) -> String {
    format!(
        "a=ice-ufrag:of{name}\r\na=ice-pwd:0123456789abcdefghijkl\r\na=fingerprint:{SHA_256}\r\n\
         a=setup:actpass\r\n"
    )
}

fn audio(mid: &str) -> String {
    section(&format!("audio 9 {AUDIO}"), mid, CODEC)
}

fn data(mid: &str) -> String {
    section(
        &format!("application 9 {DATA}"),
        mid,
        "a=sctp-port:5000\r\n",
    )
}

/// The link that answers an offer, and the answer.
fn answer(offer: &str) -> Result<(Link, String), OfferError> {
    static CONFIG: OnceLock<Arc<LinkConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let address = ([192, 0, 2, 1], 3478).into();
        Arc::new(LinkConfig::new(Certificate::generate(), vec![address]))
    });
    let credentials = Credentials {
        ufrag: "server".into(),
        password: "0123456789abcdefghijklmn".into(),
    };
    let offer = Offer::parse(offer)?;
    Link::answer(Instant::now(), Arc::clone(config), credentials, &offer)
}

/// The answer in short: its group, and of each section its `m=` line, its tag and what it is.
fn form(offer: &str) -> Vec<String> {
    let (_, answer) = answer(offer).unwrap_or_else(|error| panic!("{error}: {offer}"));
    let mut form = Vec::new();
    for line in answer.lines() {
        if let Some(group) = line.strip_prefix("a=group:BUNDLE") {
            form.push(format!("group{group}"));
        } else if let Some(media) = line.strip_prefix("m=") {
            form.push(media.to_owned());
        } else if let Some(section) = form.last_mut() {
            for (prefix, word) in [
                ("a=mid:", "mid "),
                ("a=ice-ufrag:server", "transport"),
                ("a=inactive", "inactive"),
                ("a=sctp-port:", "sctp-port "),
                ("a=sctpmap:", "sctpmap "),
                ("a=rtpmap:", "rtpmap "),
            ] {
                if let Some(rest) = line.strip_prefix(prefix) {
                    section.push_str(&format!(" | {word}{rest}"));
                }
            }
        }
    }
    form
}

fn is_legal(offer: &str, answer: &str) {
    let media = |sdp: &str| -> Vec<(String, String)> {
        let lines = sdp.split(['\r', '\n']).map(str::trim_ascii);
        let lines = lines.filter_map(|line| line.strip_prefix("m=").map(str::to_owned));
        let words = |line: String| {
            let words: Vec<_> = line.split_ascii_whitespace().map(str::to_owned).collect();
            (words[0].clone(), words[2].clone())
        };
        lines.map(words).collect()
    };
    assert_eq!(media(offer), media(answer), "{offer}\n{answer}");
    assert!(answer.starts_with("v=0\r\n") && answer.ends_with("\r\n"));
    for (needed, count) in [
        ("\r\na=ice-ufrag:server\r\n", 1),
        ("\r\na=ice-pwd:", 1),
        ("\r\na=fingerprint:sha-256 ", 1),
        ("\r\na=setup:", 1),
        ("\r\na=candidate:", 1),
        ("\r\na=ice-lite\r\n", 1),
        ("\r\na=max-message-size:262144\r\n", 1),
    ] {
        assert_eq!(answer.matches(needed).count(), count, "{needed}: {answer}");
    }
    let groups = answer
        .lines()
        .filter_map(|line| line.strip_prefix("a=group:BUNDLE "));
    for tag in groups.flat_map(str::split_whitespace) {
        let tag = format!("\r\na=mid:{tag}\r\n");
        let mut sections = answer.split("\r\nm=").filter(|s| s.contains(&tag));
        let is_open = |section: &str| section.split(' ').nth(1) == Some("9");
        assert!(sections.any(is_open), "{answer}");
    }
}

fn corpus() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/offers");
    let files = std::fs::read_dir(folder).expect("the corpus");
    let mut offers: Vec<_> = files
        .map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (
                name.into_owned(),
                std::fs::read_to_string(&path).expect("text"),
            )
        })
        .collect();
    offers.sort();
    assert!(offers.len() >= 14);
    offers
}

#[test]
fn whole_offers_are_answered_in_their_form() {
    for (name, offer) in corpus() {
        if name == "app-port-0-rejected.sdp" {
            assert_eq!(answer(&offer).err(), Some(OfferError::NoDataChannel));
            continue;
        }
        let (link, answer) = answer(&offer).unwrap_or_else(|error| panic!("{name}: {error}"));
        is_legal(&offer, &answer);
        assert_eq!(link.peer_ufrag(), "abcd", "{name}");
    }
}

#[test]
fn the_transport_is_that_of_the_tagged_section() {
    let inactive = |mid: &str| {
        format!("audio 9 UDP/TLS/RTP/SAVPF 111 | mid {mid} | inactive | rtpmap 111 opus/48000/2")
    };
    let rejected = format!("audio 0 {AUDIO} | mid 0 | inactive | rtpmap 111 opus/48000/2");
    let with_data = |mid: &str| format!("application 9 {DATA} | mid {mid} | sctp-port 5000");
    let alone = |mid: &str| with_data(mid).replace(" | sctp", " | transport | sctp");
    let both = [audio("0"), data("1")];
    for (group, sections, ufrag, wanted) in [
        // The audio section shares its transport.
        (
            "BUNDLE 0 1",
            &both[..],
            "of0",
            vec!["group 0 1 | transport", &inactive("0"), &with_data("1")],
        ),
        (
            "LS 0 1\r\na=group:BUNDLE 0 1",
            &both,
            "of0",
            vec!["group 0 1 | transport", &inactive("0"), &with_data("1")],
        ),
        // The data section shares its transport.
        (
            "BUNDLE 1 0",
            &both,
            "of1",
            vec!["group 1 0 | transport", &inactive("0"), &with_data("1")],
        ),
        // They share nothing.
        (
            "BUNDLE 1",
            &both,
            "of1",
            vec!["group 1", &rejected, &alone("1")],
        ),
        ("BUNDLE 0", &both, "of1", vec![&rejected, &alone("1")]),
        ("LS 0 1", &both, "of1", vec![&rejected, &alone("1")]),
        // The policy max-bundle: only the first section has a transport.
        (
            "BUNDLE 0 1 2",
            &[
                audio("0"),
                bundle_only(&format!("audio 0 {AUDIO}"), "1", CODEC),
                bundle_only(&format!("application 0 {DATA}"), "2", ""),
            ],
            "of0",
            vec![
                "group 0 1 2 | transport",
                &inactive("0"),
                &inactive("1"),
                &with_data("2"),
            ],
        ),
        // What is rejected, foreign, or cannot be multiplexed shares nothing.
        (
            "BUNDLE 0 1 2 3 4",
            &[
                section(&format!("audio 0 {AUDIO}"), "0", CODEC),
                section("audio 9 RTP/AVP 0", "1", CODEC),
                section(&format!("video 9 {AUDIO}"), "2", ""),
                section("text 9 RTP/SAVPF 0", "3", CODEC),
                data("4"),
            ],
            "of4",
            vec![
                "group 4",
                &rejected,
                "audio 0 RTP/AVP 0 | mid 1 | inactive",
                &format!("video 0 {AUDIO} | mid 2 | inactive"),
                "text 0 RTP/SAVPF 0 | mid 3 | inactive",
                &alone("4"),
            ],
        ),
        // One data section is enough.
        (
            "BUNDLE 0 1",
            &[data("0"), data("1")],
            "of0",
            vec![
                "group 0",
                &alone("0"),
                &format!("application 0 {DATA} | mid 1"),
            ],
        ),
    ] {
        let offer = offer(&format!("a=group:{group}\r\n"), sections);
        assert_eq!(form(&offer), wanted, "{group}");
        let (link, answer) = answer(&offer).expect("an answer");
        is_legal(&offer, &answer);
        assert_eq!(link.peer_ufrag(), ufrag, "{group}");
    }
}

#[test]
fn old_and_new_notations() {
    let map = "a=sctpmap:5000 webrtc-datachannel 1024\r\n";
    for (line, attributes, wanted) in [
        (
            "9 DTLS/SCTP 5000",
            map,
            "9 DTLS/SCTP 5000 | mid 0 | transport | sctpmap 5000 webrtc-datachannel 1024",
        ),
        (
            "9 UDP/DTLS/SCTP 5000",
            "",
            "9 UDP/DTLS/SCTP 5000 | mid 0 | transport | sctpmap 5000 webrtc-datachannel 1024",
        ),
        (
            "40000 SCTP/DTLS 5001",
            "a=sctpmap:5001 webrtc-datachannel 16\r\n",
            "9 SCTP/DTLS 5001 | mid 0 | transport | sctpmap 5001 webrtc-datachannel 1024",
        ),
        (
            "9 TCP/DTLS/SCTP webrtc-datachannel",
            "a=sctp-port: 5000 \r\n",
            "9 TCP/DTLS/SCTP webrtc-datachannel | mid 0 | transport | sctp-port 5000",
        ),
        (
            "9/1  dtls/sctp   webrtc-datachannel",
            "a=sctp-port:garbage\r\n",
            "9 dtls/sctp webrtc-datachannel | mid 0 | transport | sctp-port 5000",
        ),
    ] {
        let sections = [section(&format!("application {line}"), "0", attributes)];
        let wanted = vec!["group 0".to_owned(), format!("application {wanted}")];
        assert_eq!(form(&offer("a=group:BUNDLE 0\r\n", &sections)), wanted);
    }
    for (line, attributes) in [
        ("9 DTLS/SCTP 5000", "a=sctpmap:5000 something-else 16\r\n"),
        ("9 DTLS/SCTP 0", ""),
        ("9 UDP/DTLS/SCTP something-else", ""),
        ("9 UDP/DTLS/SCTP webrtc-datachannel", "a=sctp-port:0\r\n"),
        ("9 UDP/BFCP *", ""),
        ("9 RTP/SAVPF 101", "a=rtpmap:101 google-data/90000\r\n"),
        ("0 UDP/DTLS/SCTP webrtc-datachannel", ""),
        ("0 DTLS/SCTP 5000", map),
    ] {
        let sections = [section(&format!("application {line}"), "0", attributes)];
        let error = answer(&offer("", &sections)).err();
        assert_eq!(
            error,
            Some(OfferError::NoDataChannel),
            "{line} {attributes}"
        );
    }
}

#[test]
fn what_does_not_concern_a_data_connection_changes_nothing() {
    let plain = offer("a=group:BUNDLE 0\r\n", &[data("0")]);
    let wanted = form(&plain);
    for (what, edited) in [
        ("line feeds", plain.replace("\r\n", "\n")),
        ("carriage returns", plain.replace("\r\n", "\r")),
        ("no last line end", plain.trim_end().into()),
        ("spaces at line ends", plain.replace("\r\n", " \t\r\n")),
        (
            "spaces before values",
            plain
                .replace("a=mid:", "a=mid: ")
                .replace("a=setup:", "a=setup: "),
        ),
        (
            "blank lines",
            plain.replace("m=", "\r\n \r\nm=").replace("v=0", "\r\nv=0"),
        ),
        (
            "times",
            plain.replace(
                "t=0 0",
                "t=3034423619 3042462419\r\nr=7d 1h 0 25h\r\nt=1 2\r\nz=0 0",
            ),
        ),
        ("no times", plain.replace("t=0 0\r\n", "")),
        (
            "a long session id",
            plain.replace("- 1 2", &format!("jdoe {} 2", "9".repeat(400))),
        ),
        (
            "no origin",
            plain.replace("o=- 1 2 IN IP4 127.0.0.1\r\n", ""),
        ),
        (
            "information",
            plain.replace(
                "c=IN",
                "i=a\r\ni=b\r\nb=AS:30\r\nb=TIAS:1\r\nb=X-ü:\r\nk=prompt\r\nc=IN",
            ),
        ),
        ("IPv6", plain.replace("IN IP4 0.0.0.0", "IN IP6 ::")),
        (
            "garbage",
            plain.replace(
                "a=mid",
                "a=sctp-init:AAAA\r\na=extmap:x\r\na=:\r\na=\r\n=\r\nx\r\n\u{feff}é\r\na=mid",
            ),
        ),
        (
            "candidates",
            plain.clone()
                + "a=candidate:1 1 udp 1 a.local 9 typ host\r\na=candidate:\r\na=end-of-candidates\r\n",
        ),
        (
            "upper case",
            plain
                .replace("actpass", "ACTPASS")
                .replace("sha-256 C6:2E", "SHA-256 c6:2e"),
        ),
        (
            "two sections of one tag",
            plain.clone() + "m=audio 0 RTP/AVP 0\r\na=mid:0\r\n",
        ),
    ] {
        let mut found = form(&edited);
        found.truncate(2);
        assert_eq!(found, wanted, "{what}");
    }
}

#[test]
fn tags_come_back_byte_for_byte() {
    let long = "x".repeat(300);
    for mid in [
        "data-channel",
        "application0",
        "!#$%&'*+-.^_`{|}~",
        &long,
        "é",
        "a:b",
    ] {
        let offer = offer(
            &format!("a=group:BUNDLE a {mid}\r\n"),
            &[audio("a"), data(mid)],
        );
        let (_, answer) = answer(&offer).expect(mid);
        assert!(
            answer.contains(&format!("\r\na=group:BUNDLE a {mid}\r\n")),
            "{answer}"
        );
        assert!(answer.contains(&format!("\r\na=mid:{mid}\r\n")), "{answer}");
    }
    let without = offer("", &[data("0").replace("a=mid:0\r\n", "")]);
    assert_eq!(
        form(&without),
        [format!("application 9 {DATA} | transport | sctp-port 5000")]
    );
}

#[test]
fn attributes_of_the_whole_session() {
    let bare = format!("m=application 9 {DATA}\r\na=mid:0\r\n");
    let (link, _) =
        answer(&offer(&transport("session"), std::slice::from_ref(&bare))).expect("an answer");
    assert_eq!(link.peer_ufrag(), "ofsession");
    // Those of the section come first.
    let (link, _) = answer(&offer(&transport("session"), &[data("0")])).expect("an answer");
    assert_eq!(link.peer_ufrag(), "of0");
}

#[test]
fn roles_in_the_dtls_handshake() {
    for (setup, wanted) in [
        ("actpass", "passive"),
        ("active", "passive"),
        ("passive", "active"),
    ] {
        let offer = offer("", &[data("0").replace("actpass", setup)]);
        let (_, answer) = answer(&offer).expect("an answer");
        assert!(
            answer.contains(&format!("a=setup:{wanted}\r\n")),
            "{answer}"
        );
    }
    let (_, answer) =
        answer(&offer("", &[data("0").replace("a=setup:actpass\r\n", "")])).expect("an answer");
    assert!(answer.contains("a=setup:passive\r\n"));
}

#[test]
fn what_is_refused_and_why() {
    use OfferError as E;
    let without = |name: &str| -> String {
        let whole = offer("", &[data("0")]);
        let lines = whole.split_inclusive("\r\n");
        lines.filter(|line| !line.starts_with(name)).collect()
    };
    let plain = offer("", &[data("0")]);
    let unusable = |fingerprint: &str| plain.replace(SHA_256, fingerprint);
    for (sdp, wanted) in [
        (String::new(), E::NotSdp),
        ("hello".into(), E::NotSdp),
        (r#"{"type":"offer","sdp":"v=0\r\n"}"#.into(), E::NotSdp),
        ("v=1\r\n".into(), E::NotSdp),
        ("v=0".into(), E::NoDataChannel),
        (offer("", &[audio("0")]), E::NoDataChannel),
        (without("a=ice-ufrag"), E::NoCredentials),
        (without("a=ice-pwd"), E::NoCredentials),
        (plain.replace("of0", &"x".repeat(257)), E::BadCredentials),
        (plain.replace("of0", "a b"), E::BadCredentials),
        (offer("a=ice-lite\r\n", &[data("0")]), E::IceLite),
        (without("a=fingerprint"), E::NoFingerprint),
        (
            unusable("md5 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B"),
            E::BadFingerprint,
        ),
        (unusable("sha-256 C6:2E"), E::BadFingerprint),
        (plain.replace("actpass", "holdconn"), E::BadSetup),
        (plain.replace("actpass", "whatever"), E::BadSetup),
        (plain.clone() + "m=audio\r\n", E::BadMediaLine),
        (
            plain.clone() + "m=audio nine RTP/AVP 0\r\n",
            E::BadMediaLine,
        ),
        (
            plain.clone() + &"m=audio 9 RTP/AVP 0\r\n".repeat(64),
            E::TooManySections,
        ),
        (plain.clone() + &"\n".repeat(8192), E::TooManyLines),
        (plain.clone() + &"\r".repeat(8192), E::TooManyLines),
        (plain.clone() + &"x".repeat(65_536), E::TooManyBytes),
    ] {
        assert_eq!(Offer::parse(&sdp).err(), Some(wanted), "{sdp:.2000}");
    }
    assert!(answer(&(plain + &"m=audio 9 RTP/AVP 0\r\n".repeat(63))).is_ok());
}

#[test]
fn one_of_several_fingerprints_can_be_checked() {
    let sha_512 = format!("sha-512 {}", ["00"; 64].join(":"));
    let md5 = "md5 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B";
    let several = [md5, "sha-3 garbage", &sha_512, SHA_256].join("\r\na=fingerprint:");
    assert!(answer(&offer("", &[data("0").replace(SHA_256, &several)])).is_ok());
}

/// Whatever the text is: no panic, and what is answered is answered legally.
#[test]
fn mutated_offers() {
    let corpus = corpus();
    let mut state = 1_u64;
    let mut below = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % bound.max(1) as u64) as usize
    };
    let mut answered = 0;
    for _ in 0..4000 {
        let lines: Vec<&str> = corpus[below(corpus.len())]
            .1
            .split_inclusive("\r\n")
            .collect();
        let others: Vec<&str> = corpus[below(corpus.len())]
            .1
            .split_inclusive("\r\n")
            .collect();
        let mut text = String::new();
        let odd = below(lines.len());
        for (at, line) in lines.iter().enumerate() {
            match below(40) {
                0 => {}
                1 => text.push_str(others[below(others.len())]),
                2 => text.push_str(&line.repeat(2)),
                3 if at == odd => text.push_str(&line.replacen(':', "\u{0}", 1)),
                4 if at == odd => text.push_str(line.trim_end_matches(|c: char| c != ' ')),
                _ => text.push_str(line),
            }
        }
        if let Ok((_, answer)) = answer(&text) {
            is_legal(&text, &answer);
            answered += 1;
        }
    }
    assert!(answered > 400, "{answered} of 4000");
}

/// A parser that looks at lines or tags more than once each needs seconds for these.
#[test]
fn the_cost_is_linear() {
    let fill = |head: &str, piece: &str| {
        let room = 65_536 - head.len();
        head.to_owned() + &piece.repeat(room / piece.len())
    };
    let sections: Vec<_> = (0..63)
        .map(|n| format!("m=audio 9 {AUDIO}\r\na=mid:{n}\r\n"))
        .collect();
    let sections = sections.concat();
    let plain = offer("a=group:BUNDLE 0\r\n", &[data("0")]);
    let formats = fill(&plain, "a=rtpmap:7 x/8\r\n");
    for (what, sdp) in [
        ("tiny lines", fill(&plain, "a=x\r\n")),
        ("blank lines", fill(&plain, "        \n")),
        ("formats", formats),
        (
            "parameters of a codec with a long payload type",
            fill(
                &format!(
                    "{plain}m=audio 9 {AUDIO}\r\na=rtpmap:{} x/8\r\n",
                    "7".repeat(32_000)
                ),
                "a=fmtp\r\n",
            ),
        ),
        (
            "tags",
            offer(&fill("a=group:BUNDLE 0", " 63"), &[])[..60_000].to_owned()
                + "\r\n"
                + &sections
                + &data("63"),
        ),
        (
            "groups",
            fill("v=0\r\n", "a=group:BUNDLE 1\r\n")[..60_000].to_owned() + "\r\n" + &data("0"),
        ),
        ("a long line", fill(&plain, "a=fingerprint:sha-256 C6:2E:")),
        (
            "fingerprints",
            fill(&plain, &format!("a=fingerprint:{SHA_256}\r\n")),
        ),
    ] {
        let begun = Instant::now();
        let _ = Offer::parse(&sdp);
        let took = begun.elapsed();
        println!("{what}: {took:?} for {} bytes", sdp.len());
        assert!(took < Duration::from_millis(500), "{what}: {took:?}");
    }
}
