//! Session descriptions (RFC 8866, RFC 8829), as far as an ICE agent needs them.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// The ICE credentials of an offer.
pub(super) fn credentials(offer: &str) -> Option<(String, String)> {
    Some((attribute(offer, "ice-ufrag")?.to_owned(), attribute(offer, "ice-pwd")?.to_owned()))
}

fn attribute<'s>(description: &'s str, name: &str) -> Option<&'s str> {
    description.lines().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

/// Where an offer says that media is met, over UDP.
pub(super) fn candidates(offer: &str) -> impl Iterator<Item = SocketAddr> + '_ {
    offer.lines().filter_map(|line| candidate(line.strip_prefix("a=")?))
}

/// The address of a candidate for UDP: `candidate:… 1 udp … ADDRESS PORT typ host …`
/// (RFC 8839, section 5.1).
pub(super) fn candidate(line: &str) -> Option<SocketAddr> {
    let mut words = line.strip_prefix("candidate:")?.split_ascii_whitespace().skip(2);
    let (transport, _priority) = (words.next()?, words.next()?);
    let (address, port) = (words.next()?, words.next()?);
    transport.eq_ignore_ascii_case("udp").then_some(())?;
    Some(SocketAddr::new(address.parse().ok()?, port.parse().ok()?))
}

/// An answer that takes the data channel of an offer and nothing else.
pub(super) fn answer(offer: &str, fragment: &str, password: &str, fingerprint: &str) -> String {
    let mut answer = String::from("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n");
    if let Some(group) = attribute(offer, "group") {
        let _ = write!(answer, "a=group:{group}\r\n");
    }
    let _ = write!(answer, "a=fingerprint:sha-256 {fingerprint}\r\n");
    let media = offer.split("\nm=").skip(1);
    for section in media {
        let line = section.lines().next().unwrap_or_default();
        let is_data = line.starts_with("application");
        let _ = match is_data {
            true => write!(answer, "m={line}\r\n"),
            // Port 0 takes nothing (RFC 3264, section 6).
            false => {
                let mut words = line.splitn(3, ' ');
                let kind = words.next().unwrap_or_default();
                write!(answer, "m={kind} 0 {}\r\n", words.nth(1).unwrap_or_default())
            }
        };
        answer.push_str("c=IN IP4 0.0.0.0\r\n");
        if let Some(mid) = attribute(section, "mid") {
            let _ = write!(answer, "a=mid:{mid}\r\n");
        }
        if is_data {
            let _ = write!(answer, "a=ice-ufrag:{fragment}\r\na=ice-pwd:{password}\r\na=setup:active\r\n");
            answer.push_str("a=sctp-port:5000\r\n");
        } else {
            answer.push_str("a=inactive\r\n");
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 7 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:0\r\n\
        a=sctp-port:5000\r\na=ice-ufrag:abcd\r\na=ice-pwd:efghijklmnopqrstuvwxyz\r\n\
        a=candidate:1 1 udp 2130706431 203.0.113.10 50012 typ host\r\n\
        a=candidate:2 1 tcp 1671430143 203.0.113.10 7881 typ host tcptype passive\r\n\
        a=candidate:3 1 UDP 2130706431 2001:db8::1 50013 typ host\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\n";

    #[test]
    fn an_offer_says_who_and_where() {
        let (fragment, password) = credentials(OFFER).expect("credentials");
        assert_eq!((fragment.as_str(), password.as_str()), ("abcd", "efghijklmnopqrstuvwxyz"));
        let found: Vec<_> = candidates(OFFER).map(|found| found.to_string()).collect();
        assert_eq!(found, ["203.0.113.10:50012", "[2001:db8::1]:50013"]);
        for nothing in ["", "candidate:", "candidate:1 1 udp", "candidate:1 1 udp 1 x.local 5 typ host"] {
            assert_eq!(candidate(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn an_answer_takes_the_data_channel_alone() {
        let answer = answer(OFFER, "mine", "secret", "AA:BB");
        assert!(answer.contains("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
        assert!(answer.contains("m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n"));
        assert_eq!(answer.matches("a=ice-ufrag:mine\r\n").count(), 1);
        assert!(answer.contains("a=group:BUNDLE 0 1\r\n") && answer.contains("a=mid:1\r\n"));
    }
}
