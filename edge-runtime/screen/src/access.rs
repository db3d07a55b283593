//! Who has given the PIN, and whether a form came from one of our own pages.

use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::time::Duration;

/// Most sessions at one time; the one that ends first makes room.
const MOST: usize = 64;

/// What a browser's cookie holds: 128 random bits as 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor(String);

impl Visitor {
    /// A new one.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(hex(&bytes)))
    }

    /// From a cookie; none where it is not one of ours by its form.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| Self(text.to_owned()))
    }

    /// The cookie's value.
    pub fn value(&self) -> &str {
        &self.0
    }

    fn hash(&self, what: &[u8]) -> [u8; 32] {
        Sha256::new().chain_update(what).chain_update(&self.0).finalize().into()
    }
}

/// The sessions, and the secret of this run. Only hashes of cookies are kept.
#[derive(Debug)]
pub struct Access {
    secret: [u8; 32],
    lasts: Duration,
    /// When each session ends.
    sessions: HashMap<[u8; 32], Duration>,
}

impl Access {
    /// Sessions that last so long.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn new(lasts: Duration) -> Result<Self, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self { secret, lasts, sessions: HashMap::new() })
    }

    /// What a form of a page for `visitor` carries, and no other site can know.
    pub fn token(&self, visitor: &Visitor) -> String {
        hex(&visitor.hash(&self.secret))
    }

    /// Whether a form carries the token of `visitor`.
    pub fn is_ours(&self, visitor: &Visitor, token: &str) -> bool {
        let expected = self.token(visitor);
        let differ = expected.bytes().zip(token.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
        expected.len() == token.len() && differ == 0
    }

    /// Whether `visitor` has given the PIN.
    pub fn knows(&self, visitor: &Visitor, now: Duration) -> bool {
        self.sessions.get(&visitor.hash(b"session")).is_some_and(|ends| *ends > now)
    }

    /// `visitor` has given the PIN.
    pub fn enter(&mut self, visitor: &Visitor, now: Duration) {
        self.sessions.retain(|_, ends| *ends > now);
        if self.sessions.len() >= MOST {
            let first = self.sessions.iter().min_by_key(|(_, ends)| **ends).map(|(hash, _)| *hash);
            first.map(|first| self.sessions.remove(&first));
        }
        self.sessions.insert(visitor.hash(b"session"), now + self.lasts);
    }

    pub fn leave(&mut self, visitor: &Visitor) {
        self.sessions.remove(&visitor.hash(b"session"));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_and_there_are_not_more_than_so_many() {
        let mut access = Access::new(Duration::from_secs(60)).unwrap();
        let at = Duration::from_secs;
        let visitors: Vec<Visitor> = (0..=MOST).map(|_| Visitor::new().unwrap()).collect();
        assert!(!access.knows(&visitors[0], at(0)));
        for (n, visitor) in visitors.iter().enumerate() {
            access.enter(visitor, Duration::from_millis(n as u64));
        }
        assert!(!access.knows(&visitors[0], at(1)), "the oldest made room");
        assert!(access.knows(&visitors[1], at(59)));
        assert!(!access.knows(&visitors[1], at(61)));
        access.leave(&visitors[2]);
        assert!(!access.knows(&visitors[2], at(1)));
    }

    #[test]
    fn a_token_is_of_one_visitor_and_one_run() {
        let access = || Access::new(Duration::from_secs(60)).unwrap();
        let (one, other) = (Visitor::new().unwrap(), Visitor::new().unwrap());
        let ours = access();
        let token = ours.token(&one);
        assert!(ours.is_ours(&one, &token));
        assert!(!ours.is_ours(&other, &token));
        assert!(!ours.is_ours(&one, &token[1..]) && !ours.is_ours(&one, ""));
        assert!(!access().is_ours(&one, &token));
        for wrong in ["", "0", &"g".repeat(32), &"0".repeat(33)] {
            assert_eq!(Visitor::parse(wrong), None);
        }
        assert_eq!(Visitor::parse(one.value()), Some(one));
    }
}
