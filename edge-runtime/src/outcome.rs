//! How a command ended that could do its work.

/// What a command that ran to its end has to say, and its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Complete = 0,
    /// Some pictures could not be read or got no answer; each was reported.
    Incomplete = 3,
    /// Something that was checked is not as it must be; each was reported.
    Unfit = 5,
}
