//! Reads one byte past its slice, as a kernel would that is wrong at a row's end: a sanitizer that works ends this program. It is
//! no part of xtask: the suite `sanitizer` builds it to see that the sanitizer bites.

fn main() {
    let row = vec![1u8; std::env::args().count() * 64].into_boxed_slice();
    // SAFETY: none, this is the planted fault.
    println!("{}", unsafe { *row.as_ptr().add(row.len()) });
}
