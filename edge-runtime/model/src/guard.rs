//! A fence around code that reads untrusted bytes, other people's first of all.
//!
//! Decoders and the inference library are meant to return errors, but they are large and a damaged
//! file may still find a panic in them. A device must then report that one file and go on, so a
//! panic becomes an ordinary error here.
//!
//! ```
//! use edge_model::guard::guarded;
//!
//! assert_eq!(guarded(|| 7), Ok(7));
//! assert_eq!(guarded(|| -> u8 { panic!("no row") }), Err("internal error: no row".to_owned()));
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`; a panic becomes `Err` with its message.
///
/// # Errors
/// `f` has panicked.
///
/// Only for closures whose borrowed state is dropped or not used again after an `Err`: that is what
/// makes [`AssertUnwindSafe`] true.
pub fn guarded<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        format!("internal error: {}", text.unwrap_or("no message"))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(super::guarded(|| 7), Ok(7));
        let error = super::guarded(|| -> u8 { panic!("planted {}", 1) });
        assert_eq!(error, Err("internal error: planted 1".to_owned()));
    }
}
