//! What an archive answers to a command: the one number that matters of it.
//!
//! `dicom-object` would read it too, but believes every length: forty bytes that claim four gigabytes
//! make it ask for these, and end the program where there are none.

/// The Status, (0000,0900), of a whole response: elements without the types of their values,
/// little-endian, none in another (PS3.7 6.3.1). None where it is not there, or a length reaches beyond
/// the end before it.
pub fn status(mut elements: &[u8]) -> Option<u16> {
    while let Some(([g0, g1, e0, e1, a, b, c, d], rest)) = elements.split_first_chunk() {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).ok()?;
        let (value, behind) = rest.split_at_checked(length)?;
        if [*g0, *g1, *e0, *e1] == [0, 0, 0, 9] {
            return value.try_into().ok().map(u16::from_le_bytes);
        }
        elements = behind;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(number: u16, claimed: u32, value: &[u8]) -> Vec<u8> {
        [&[0, 0], &number.to_le_bytes()[..], &claimed.to_le_bytes(), value].concat()
    }

    #[test]
    fn the_status_is_read_wherever_it_stands_and_no_length_is_believed() {
        let command = element(0x100, 2, &[1, 0x80]);
        let told = element(0x902, 4, b"full");
        let status_of = |parts: &[&[u8]]| status(&parts.concat());
        let refused = element(0x900, 2, &[0, 0xA7]);
        assert_eq!(status_of(&[&command, &refused, &told]), Some(0xA700));
        assert_eq!(status_of(&[&told, &refused]), Some(0xA700));
        assert_eq!(status_of(&[&element(0x900, 2, &[0, 0])]), Some(0));
        for other in [
            vec![],
            command.clone(),
            refused[..9].to_vec(),
            element(0x900, 0, &[]),
            element(0x900, 1, &[0]),
            element(0x900, 4, &[0; 4]),
            [element(0x100, u32::MAX, &[1, 0x80]), refused.clone()].concat(),
            [element(0x100, 0xC4C4_C4C4, &[1]), refused.clone()].concat(),
            // In another group.
            [&[8, 0], &refused[2..]].concat(),
        ] {
            assert_eq!(status(&other), None, "{other:?}");
        }
    }
}
