//! From a stored value to luminance, as a table over all values that Bits Stored allows: modality LUT or
//! rescale, then VOI LUT or window, then MONOCHROME1 (PS3.4 N.2). Padding is black.

use super::header::Header;

/// The stored value that stands in these bits.
pub(super) fn stored(header: &Header, bits: u32) -> i32 {
    let values = 1u32 << header.bits_stored;
    if header.signed && bits >= values / 2 { bits as i32 - values as i32 } else { bits as i32 }
}

/// Luminance, 0..=65535, of each stored value: the value as it stands in its bits, `1 << bits_stored`
/// of them.
pub(super) fn table(header: &Header) -> Vec<u16> {
    let values = 1u32 << header.bits_stored;
    let rescaled = |value: f64| match &header.modality_lut {
        Some(lut) => lut.output(value),
        None => value * header.slope + header.intercept,
    };
    // Without a window everything that could be stored has a grey of its own.
    let ends = match &header.modality_lut {
        Some(lut) => [0.0, lut.most()],
        None if header.signed => [-f64::from(values / 2), f64::from(values / 2 - 1)].map(rescaled),
        None => [0.0, f64::from(values - 1)].map(rescaled),
    };
    let (least, most) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
    let grey = |value: f64| match (&header.voi_lut, &header.window) {
        (Some(lut), _) => lut.output(value) / lut.most(),
        (None, Some(window)) => window.grey(value),
        (None, None) => (value - least) / (most - least),
    };
    let luminance = |bits| {
        let stored = stored(header, bits);
        if header.is_padding(stored) {
            return 0;
        }
        let grey = grey(rescaled(stored.into()));
        let grey = if header.inverted { 1.0 - grey } else { grey };
        (grey * f64::from(u16::MAX)).round() as u16
    };
    (0..values).map(luminance).collect()
}

#[cfg(test)]
mod tests {
    use super::super::grey::{Function, Lut, Window};
    use super::super::header::Pixels;
    use super::*;

    /// Eight bits, unsigned, without anything that changes a value.
    fn header() -> Header<'static> {
        Header {
            tags: Default::default(),
            study_uid: None,
            accession_number: None,
            rows: 32,
            columns: 32,
            samples: 1,
            photometric: "MONOCHROME2".into(),
            planes: false,
            bits_allocated: 8,
            bits_stored: 8,
            high_bit: 7,
            signed: false,
            inverted: false,
            slope: 1.0,
            intercept: 0.0,
            modality_lut: None,
            voi_lut: None,
            window: None,
            padding: None,
            pixel_sides: None,
            pixels: Pixels::Fragments(vec![]),
        }
    }

    fn window(centre: f64, width: f64, function: Function) -> Option<Window> {
        Some(Window { centre, width, function })
    }

    #[test]
    fn without_a_window_every_value_has_a_grey_of_its_own() {
        let grey = table(&header());
        assert!(grey.iter().enumerate().all(|(value, grey)| usize::from(*grey) == value * 257));
        let signed = table(&Header { signed: true, ..header() });
        assert_eq!([signed[128], signed[255], signed[0], signed[127]], [0, 127 * 257, 128 * 257, 65_535]);
        // A rescale is linear and changes nothing, one that falls turns the picture over.
        assert_eq!(table(&Header { slope: 2.5, intercept: -1000.0, ..header() }), grey);
        let falling = table(&Header { slope: -1.0, ..header() });
        assert!(falling.iter().eq(grey.iter().rev()));
        assert_eq!(table(&Header { inverted: true, ..header() }), falling);
    }

    /// As black as nothing, whatever a window or an inversion would make of it.
    #[test]
    fn padding_is_black() {
        let padded = |padding, more| table(&Header { padding: Some(padding), ..more });
        let grey = table(&header());
        let inverted = table(&Header { inverted: true, ..header() });
        let one = padded(200..=200, header());
        assert_eq!((one[199], one[200], one[201]), (grey[199], 0, grey[201]));
        let white = padded(0..=9, Header { inverted: true, ..header() });
        assert_eq!((white[0], white[9], white[10], white[255]), (0, 0, inverted[10], 0));
        let low = Header { signed: true, window: window(0.0, 2.0, Function::Linear), ..header() };
        assert_eq!(padded(100..=127, low)[100], 0);
    }

    #[test]
    fn a_window_is_the_standards_formula() {
        // PS3.3 C.11.2.1.2.1: centre 2048, width 1 has all from 2048 on white, and none between.
        let one = table(&Header { window: window(100.0, 1.0, Function::Linear), ..header() });
        assert_eq!([one[99], one[100]], [0, 65_535]);
        // Width 4096 and centre 2048 take 0 to 0 and 4095 to white; the same of eight bits.
        let all = table(&Header { window: window(128.0, 256.0, Function::Linear), ..header() });
        assert_eq!(all, table(&header()));
        let exact = table(&Header { window: window(128.0, 256.0, Function::LinearExact), ..header() });
        assert_eq!([exact[0], exact[128], exact[255]], [0, 32_768, 65_279]);
        let sigmoid = table(&Header { window: window(128.0, 64.0, Function::Sigmoid), ..header() });
        assert_eq!(sigmoid[128], 32_768);
        assert!(sigmoid.is_sorted() && sigmoid[0] > 0 && sigmoid[255] < 65_535);
        for (centre, width) in [(0.0, 0.5), (f64::NAN, 9.0), (0.0, f64::INFINITY), (0.0, -1.0)] {
            assert!(!Window { centre, width, function: Function::Linear }.is_valid(), "{centre} {width}");
        }
    }

    #[test]
    fn a_table_of_eight_bits_has_its_ends_beyond_its_inputs() {
        let lut = Lut { first: 100, outputs: vec![10, 20, 255], bits: 8 };
        let grey = table(&Header {
            voi_lut: Some(lut.clone()),
            window: window(9.0, 9.0, Function::Linear),
            ..header()
        });
        assert_eq!([99, 100, 101, 102, 103].map(|value: usize| grey[value] / 257), [10, 10, 20, 255, 255]);
        let before = table(&Header { modality_lut: Some(lut), ..header() });
        assert_eq!([0, 101, 255].map(|value: usize| before[value] / 257), [10, 20, 255]);
    }
}
