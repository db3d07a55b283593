//! The bytes of one connection to the screen, from whoever reaches it: an answer of HTTP or none, and
//! nothing of a patient to who is not signed in, nothing acknowledged without a page's own token.
//!
//! The first byte says who asks; in the rest `{cookie}` and `{token}` stand for what that browser was
//! given.
#![no_main]

use fuzz::planted_fault;
use fuzz::site::{self, Door, NAME};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let [who, request @ ..] = bytes else { return };
    let door = [Door::Loopback, Door::Stranger, Door::SignedIn][usize::from(*who) % 3];
    site::with(|site| {
        let request = site.filled(door, request);
        let mut answer = String::from_utf8_lossy(&site.ask(door, &request)).into_owned();
        if planted_fault() {
            answer = answer.replace("content-security-policy", "");
        }
        if answer.is_empty() {
            return; // it was closed, such as for want of a whole head
        }
        assert!(answer.starts_with("HTTP/1.1 ") || answer.starts_with("HTTP/1.0 "), "{answer}");
        let code = answer.get(9..12).unwrap_or_default();
        assert_ne!(code, "500", "{answer}");
        if code == "200" {
            assert!(answer.contains("content-security-policy: default-src 'none'"), "{answer}");
        }
        let stranger = matches!(door, Door::Stranger);
        assert!(!stranger || !answer.contains(NAME), "a patient's name: {answer}");
        let token = site.token(door).as_bytes();
        let signed = request.windows(token.len()).any(|window| window == token);
        assert!(!site.acknowledged() || signed && !stranger, "it was acknowledged");
        // A POST may have signed somebody out, or acknowledged an answer.
        if request.windows(5).any(|window| window == b"POST ") {
            site.anew();
        }
    });
});
