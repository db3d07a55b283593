//! How long to wait before the next attempt: twice as long each time, and by chance up to half
//! shorter, so that a thousand devices do not come back in the same moment.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// Waits at most so many seconds.
    pub fn up_to(seconds: u32) -> Self {
        Self { next: FIRST, most: Duration::from_secs(seconds.into()) }
    }

    /// The wait after one more failure.
    pub fn failed(&mut self) -> Duration {
        let whole = self.next.min(self.most);
        self.next = whole.saturating_mul(2);
        // Without chance from the system the whole time is waited.
        let chance = getrandom::u32().unwrap_or(u32::MAX);
        whole.mul_f64(0.5 + 0.5 * f64::from(chance) / f64::from(u32::MAX))
    }

    /// Something was delivered.
    pub fn succeeded(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_differ() {
        let mut backoff = Backoff::up_to(300);
        let waits: Vec<f64> = (0..20).map(|_| backoff.failed().as_secs_f64()).collect();
        for (number, wait) in waits.iter().enumerate() {
            let whole = 2f64.powi(number as i32).min(300.0);
            assert!((whole / 2.0..=whole).contains(wait), "{number}: {wait}");
        }
        let late: Vec<u64> = waits[10..].iter().map(|wait| (wait * 1000.0) as u64).collect();
        assert!(late.windows(2).any(|pair| pair[0] != pair[1]), "{late:?}");
        backoff.succeeded();
        assert!(backoff.failed() <= FIRST);
    }
}
