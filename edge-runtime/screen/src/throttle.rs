//! How often a PIN may be tried: by one address, and by all of them together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Wrong tries of one address that cost nothing: fingers slip.
const FREE: u32 = 3;

/// Longest wait of one address.
const LONGEST: Duration = Duration::from_secs(900);

/// Wrong tries of all addresses together, from which on each waits for [`TOGETHER`].
const MANY: u32 = 20;

/// Wait between two tries once many were wrong: 2,880 a day, so six digits last half a year on
/// average, however many addresses try.
const TOGETHER: Duration = Duration::from_secs(30);

/// After so long without a wrong try it is forgotten that there were some.
const FORGET: Duration = Duration::from_secs(3600);

/// Addresses that are remembered.
const MOST: usize = 1024;

#[derive(Clone, Copy, Debug, Default)]
struct Wrong {
    count: u32,
    last: Duration,
}

impl Wrong {
    fn at(&self, now: Duration) -> u32 {
        if now.saturating_sub(self.last) >= FORGET { 0 } else { self.count }
    }

    fn add(&mut self, now: Duration) {
        *self = Self { count: self.at(now).saturating_add(1), last: now };
    }

    fn until(&self, wait: Duration, now: Duration) -> Duration {
        (self.last + wait).saturating_sub(now)
    }
}

/// Counts wrong tries. Times are of one clock that never steps.
#[derive(Debug, Default)]
pub struct Throttle {
    addresses: HashMap<IpAddr, Wrong>,
    together: Wrong,
}

impl Throttle {
    /// How long `address` must wait before its next try; zero where it may try.
    pub fn wait(&self, address: IpAddr, now: Duration) -> Duration {
        let own = self.addresses.get(&network(address)).map_or(Duration::ZERO, |wrong| {
            let over = wrong.at(now).saturating_sub(FREE);
            let wait = if over == 0 { Duration::ZERO } else { Duration::from_secs(1 << over.min(10)) };
            wrong.until(wait.min(LONGEST), now)
        });
        let all = match self.together.at(now) {
            ..MANY => Duration::ZERO,
            MANY.. => self.together.until(TOGETHER, now),
        };
        own.max(all)
    }

    /// A try was wrong.
    pub fn wrong(&mut self, address: IpAddr, now: Duration) {
        let address = network(address);
        if self.addresses.len() >= MOST && !self.addresses.contains_key(&address) {
            let oldest =
                self.addresses.iter().min_by_key(|(_, wrong)| wrong.last).map(|(address, _)| *address);
            oldest.map(|oldest| self.addresses.remove(&oldest));
        }
        self.addresses.entry(address).or_default().add(now);
        self.together.add(now);
    }

    /// A try was right. What others tried stays counted.
    pub fn right(&mut self, address: IpAddr) {
        self.addresses.remove(&network(address));
    }
}

/// Whom an address belongs to: of IPv6 one machine has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn each_wrong_try_doubles_the_wait_of_its_address_alone() {
        let mut throttle = Throttle::default();
        let mut now = Duration::from_secs(10_000);
        let mut waits = Vec::new();
        for _ in 0..14 {
            throttle.wrong(address(1), now);
            waits.push(throttle.wait(address(1), now).as_secs());
            now += Duration::from_secs(901);
        }
        assert_eq!(waits, [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        throttle.wrong(address(1), now);
        assert_eq!(throttle.wait(address(2), now), Duration::ZERO);
        assert_eq!(throttle.wait(address(1), now + FORGET), Duration::ZERO);
        throttle.right(address(1));
        assert_eq!(throttle.wait(address(1), now), Duration::ZERO);
    }

    #[test]
    fn many_addresses_together_wait_too_and_are_not_all_remembered() {
        let mut throttle = Throttle::default();
        let now = Duration::from_secs(10_000);
        for n in 0..5_000 {
            throttle.wrong(address(n), now + Duration::from_millis(n.into()));
        }
        assert!(throttle.addresses.len() <= MOST);
        let later = now + Duration::from_secs(5);
        assert!(throttle.wait(address(9_999), later) > Duration::from_secs(20));
        assert_eq!(throttle.wait(address(9_999), later + TOGETHER), Duration::ZERO);
    }

    #[test]
    fn one_machine_of_ipv6_is_one_address() {
        let mut throttle = Throttle::default();
        let now = Duration::from_secs(10_000);
        for n in 0..10u16 {
            throttle.wrong(format!("fe80::1:{n:x}").parse().unwrap(), now);
        }
        assert!(throttle.wait("fe80::ffff".parse().unwrap(), now) > Duration::ZERO);
        assert_eq!(throttle.wait("fe81::1".parse().unwrap(), now), Duration::ZERO);
        throttle.wrong("::ffff:0.0.0.1".parse().unwrap(), now);
        assert!(throttle.addresses.contains_key(&address(1)), "IPv4 in IPv6's clothes");
    }
}
