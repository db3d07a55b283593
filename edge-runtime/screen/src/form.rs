//! The fields of a form or of a query (`application/x-www-form-urlencoded`, WHATWG URL).

/// Most bytes of a form's body: the longest of ours has some 200.
pub const MOST_BYTES: usize = 4096;

/// A form's fields, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `text`. What is not encoded as it should be is taken as it is; what is no UTF-8 becomes
    /// replacement characters.
    pub fn parse(text: &[u8]) -> Self {
        let pairs = text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || decoded(halves.next().unwrap_or_default());
            (half(), half())
        });
        Self(pairs.collect())
    }

    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

fn decoded(text: &[u8]) -> String {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let pair = digit(text.get(at + 1)).zip(digit(text.get(at + 2)));
        match (byte, pair) {
            (b'%', Some((high, low))) => {
                bytes.push((high << 4 | low) as u8);
                at += 2;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_nothing_is_refused() {
        let form = Form::parse("a=1+2&b=%C3%a9%&&c&=d&a=3&e=%zz%4".as_bytes());
        assert_eq!(form.get("a"), Some("1 2"));
        assert_eq!(form.get("b"), Some("é%"));
        assert_eq!(form.get("c"), Some(""));
        assert_eq!(form.get("e"), Some("%zz%4"));
        assert_eq!(form.get("f"), None);
        assert_eq!(Form::parse(b"%ff=\xff").get("\u{fffd}"), Some("\u{fffd}"));
    }
}
