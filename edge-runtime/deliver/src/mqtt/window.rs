//! Messages that are on their way: in the order in which they were sent, until each is confirmed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// `T` is what a confirmation delivers.
#[derive(Debug)]
pub struct Window<T> {
    messages: VecDeque<OnItsWay<T>>,
}

#[derive(Debug)]
struct OnItsWay<T> {
    /// None where it is no line's last message.
    step: Option<T>,
    number: Option<u16>,
    confirmed: bool,
    since: Instant,
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { messages: VecDeque::new() }
    }
}

impl<T> Window<T> {
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// A message was put behind the others.
    pub fn push(&mut self, step: Option<T>) {
        self.messages.push_back(OnItsWay { step, number: None, confirmed: false, since: Instant::now() });
    }

    /// The first that had no number was sent under this one.
    pub fn sent(&mut self, number: u16) {
        if let Some(message) = self.messages.iter_mut().find(|message| message.number.is_none()) {
            message.number = Some(number);
        }
    }

    /// That one was confirmed. Returns the lines that are delivered by it: those before which every
    /// message is confirmed.
    pub fn confirmed(&mut self, number: u16) -> Vec<T> {
        let wanted = |message: &&mut OnItsWay<T>| message.number == Some(number) && !message.confirmed;
        if let Some(message) = self.messages.iter_mut().find(wanted) {
            message.confirmed = true;
        }
        let mut delivered = Vec::new();
        while self.messages.front().is_some_and(|message| message.confirmed) {
            delivered.extend(self.messages.pop_front().and_then(|message| message.step));
        }
        delivered
    }

    /// How long the oldest has waited.
    pub fn oldest(&self) -> Duration {
        self.messages.front().map_or(Duration::ZERO, |message| message.since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_delivered_when_all_before_it_are() {
        let mut window = Window::default();
        // The first line is two messages.
        for step in [None, Some('a'), Some('b'), Some('c')] {
            window.push(step);
        }
        (1..=4).for_each(|number| window.sent(number));
        assert_eq!(window.confirmed(2), []);
        assert_eq!(window.confirmed(3), []);
        assert_eq!(window.confirmed(9), [], "a number that was never sent");
        assert_eq!(window.confirmed(1), ['a', 'b']);
        assert_eq!((window.len(), window.is_empty()), (1, false));
        // A number comes again once it was confirmed.
        window.push(Some('d'));
        window.sent(1);
        assert_eq!(window.confirmed(4), ['c']);
        assert_eq!(window.confirmed(1), ['d']);
        assert!(window.is_empty());
    }
}
