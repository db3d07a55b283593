//! A board's program into the region `firmware` of its flash. Slots and records stay as they are.

use crate::link::{self, Link, Piece, Progress};

/// Writes the program, reads it back and starts the board: not one with half a program.
pub fn put(link: &mut dyn Link, pieces: &[Piece], progress: &mut dyn FnMut(Progress)) -> anyhow::Result<()> {
    link::write_and_verify(link, pieces, progress)?;
    link.reset()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, board};

    fn program() -> Vec<Piece> {
        let bytes = (0..9000u32).map(|at| (at / 7) as u8).collect();
        vec![Piece { address: 0, bytes }, Piece { address: 0x2400, bytes: vec![0xA5; 100] }]
    }

    #[test]
    fn it_is_written_verified_and_started_and_nothing_else_is_touched() {
        let mut fixture = Fixture::new(&board());
        fixture.flash[0x40000..].fill(0x11);
        let mut last = None;
        put(&mut fixture, &program(), &mut |progress| last = Some(progress)).unwrap();
        assert!(fixture.flash[0x40000..].iter().all(|byte| *byte == 0x11));
        assert_eq!(fixture.flash[0x2400..0x2464], [0xA5; 100]);
        assert_eq!((fixture.writes, fixture.resets), (1, 1));
        let Some(Progress { step: link::Step::Verify, done: 9100, total: 9100 }) = last else {
            panic!("{last:?}")
        };
    }

    #[test]
    fn a_byte_that_was_not_kept_is_found_wherever_it_is() {
        for address in [0, 4095, 4096, 8999, 0x2400, 0x2463] {
            let mut fixture = Fixture::new(&board());
            fixture.worn = Some(address);
            let error = put(&mut fixture, &program(), &mut |_| ()).unwrap_err().to_string();
            assert!(error.contains(&format!("at {address:#010x}")), "{error}");
            assert_eq!(fixture.resets, 0);
        }
    }

    #[test]
    fn a_connection_that_breaks_is_told() {
        let mut fixture = Fixture::new(&board());
        fixture.breaks_after = Some(5000);
        let error = put(&mut fixture, &program(), &mut |_| ()).unwrap_err().to_string();
        assert!(error.contains("broke"), "{error}");
    }
}
