//! A JPEG in pieces, so that a test can put in, take out and change segments.

/// Segments in order, and the compressed data behind each scan's header.
#[derive(Clone, Debug)]
pub struct Jpeg(pub Vec<Segment>);

#[derive(Clone, Debug)]
pub struct Segment {
    pub marker: u8,
    pub body: Vec<u8>,
    /// What stands between it and the next marker.
    pub data: Vec<u8>,
}

pub const SOF: std::ops::RangeInclusive<u8> = 0xC0..=0xC2;
pub const SOS: u8 = 0xDA;
pub const DHT: u8 = 0xC4;

impl Segment {
    pub fn new(marker: u8, body: &[u8]) -> Self {
        Self { marker, body: body.to_vec(), data: vec![] }
    }
}

impl Jpeg {
    /// Of a file as libjpeg writes it.
    pub fn read(bytes: &[u8]) -> Self {
        let (mut at, mut segments) = (2, vec![]);
        while bytes[at + 1] != 0xD9 {
            let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
            let mut segment = Segment::new(bytes[at + 1], &bytes[at + 4..at + 2 + length]);
            at += 2 + length;
            if segment.marker == SOS {
                let ends = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xD0..=0xD7);
                let length = bytes[at..].windows(2).position(ends).unwrap();
                segment.data = bytes[at..at + length].to_vec();
                at += length;
            }
            segments.push(segment);
        }
        Self(segments)
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        for segment in &self.0 {
            bytes.extend([0xFF, segment.marker]);
            bytes.extend((segment.body.len() as u16 + 2).to_be_bytes());
            bytes.extend(&segment.body);
            bytes.extend(&segment.data);
        }
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    pub fn without(mut self, markers: std::ops::RangeInclusive<u8>) -> Self {
        self.0.retain(|segment| !markers.contains(&segment.marker));
        self
    }

    /// With a segment at the front, behind the frame header, or before the first scan.
    pub fn with(mut self, place: Place, segment: Segment) -> Self {
        let of = |what: &dyn Fn(u8) -> bool| self.0.iter().position(|s| what(s.marker)).unwrap();
        let at = match place {
            Place::Front => 0,
            Place::BehindFrame => of(&|marker| SOF.contains(&marker)) + 1,
            Place::BeforeScan => of(&|marker| marker == SOS),
        };
        self.0.insert(at, segment);
        self
    }

    /// With these identifiers of components, in frame header and scans.
    pub fn with_ids(mut self, ids: [u8; 3]) -> Self {
        let frame = self.0.iter_mut().find(|s| SOF.contains(&s.marker)).unwrap();
        let mut before = vec![];
        for (at, id) in ids.into_iter().enumerate() {
            before.push(std::mem::replace(&mut frame.body[6 + 3 * at], id));
        }
        for scan in self.0.iter_mut().filter(|s| s.marker == SOS) {
            for at in 0..usize::from(scan.body[0]) {
                let named = &mut scan.body[1 + 2 * at];
                *named = ids[before.iter().position(|id| id == named).unwrap()];
            }
        }
        self
    }

    /// With `change` made to the data of each scan.
    pub fn with_data(mut self, change: impl Fn(&mut Vec<u8>)) -> Self {
        self.0.iter_mut().filter(|s| s.marker == SOS).for_each(|scan| change(&mut scan.data));
        self
    }
}

#[derive(Clone, Copy, Debug)]
pub enum Place {
    Front,
    BehindFrame,
    BeforeScan,
}

pub fn jfif() -> Segment {
    Segment::new(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
}

pub fn adobe(transform: u8) -> Segment {
    Segment::new(0xEE, &[&b"Adobe\0\x64\0\0\0\0"[..], &[transform]].concat())
}
