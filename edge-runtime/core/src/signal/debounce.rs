//! A button without its bounce.

/// Takes a contact for pressed or released once it has been so for a while. Times are milliseconds
/// of any clock that does not step; where it does step back, the wait starts anew.
///
/// ```
/// use edge_core::signal::Debounce;
///
/// let mut button = Debounce::new(20);
/// let mut contact = |closed, now_ms| button.update(closed, now_ms);
/// assert!(!contact(true, 0) && !contact(false, 5) && !contact(true, 9) && !contact(true, 28));
/// assert!(contact(true, 29), "closed for 20 ms: a press");
/// assert!(!contact(true, 90), "the same one");
/// ```
#[derive(Clone, Debug)]
pub struct Debounce {
    stable_ms: u64,
    pressed: bool,
    /// Since when the contact has been other than `pressed`.
    since: Option<u64>,
}

impl Debounce {
    /// A button that counts as released; a contact must hold for `stable_ms`.
    pub const fn new(stable_ms: u64) -> Self {
        Self { stable_ms, pressed: false, since: None }
    }

    /// The contact is `closed` at `now_ms`. True exactly once a press, at its beginning.
    ///
    /// A contact that is closed from the start, and stays so, counts as a press: whoever holds the
    /// button means it.
    pub fn update(&mut self, closed: bool, now_ms: u64) -> bool {
        if closed == self.pressed {
            self.since = None;
            return false;
        }
        let since = self.since.filter(|&since| since <= now_ms).unwrap_or(now_ms);
        self.since = Some(since);
        if now_ms - since < self.stable_ms {
            return false;
        }
        self.pressed = closed;
        self.since = None;
        closed
    }

    /// Whether the button is held down.
    pub const fn pressed(&self) -> bool {
        self.pressed
    }
}
