//! What people read of a score and of a name, wherever it is shown or written: by the trainer, the device,
//! its log, its screen.

#![warn(missing_docs)]

pub mod prevalence;
pub mod spreadsheet;
