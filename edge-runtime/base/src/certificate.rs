//! When certificates end: from then on a browser warns, and a broker or this device refuses the other.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// From so many days before its end on somebody should see to a certificate.
pub const SOON_DAYS: i64 = 30;

/// Whole days from `now` to `end`; negative once that has passed.
pub fn days_left(end: Timestamp, now: Timestamp) -> i64 {
    (end.as_second() - now.as_second()).div_euclid(86_400)
}

/// When the certificate ends that these bytes are, DER or PEM; of several, which is a chain, the first of
/// their ends. None where they are no certificate.
pub fn end(bytes: &[u8]) -> Option<Timestamp> {
    let all: Vec<CertificateDer> = match CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>() {
        Ok(all) if !Vec::is_empty(&all) => all,
        _ => vec![bytes.into()],
    };
    all.iter().map(|one| not_after(one)).collect::<Option<Vec<_>>>()?.into_iter().min()
}

/// The field `notAfter` of a certificate (RFC 5280, 4.1.2.5).
fn not_after(der: &[u8]) -> Option<Timestamp> {
    let parts =
        |der: &[u8]| yasna::parse_der(der, |reader| reader.collect_sequence_of(|part| part.read_der())).ok();
    let signed = parts(parts(der)?.first()?)?;
    // Behind a version, where there is one, and serial number, algorithm and issuer.
    let before = if signed.first()?.first() == Some(&0xA0) { 4 } else { 3 };
    let validity = parts(signed.get(before)?)?;
    let time = yasna::parse_der(validity.get(1)?, |reader| reader.read_tagged_der()).ok()?;
    let digits = str::from_utf8(time.value()).ok().filter(|text| text.is_ascii())?.strip_suffix('Z')?;
    // Two digits of a year are of 1950 to 2049.
    let (century, digits) = match digits.len() {
        12 if digits < "50" => ("20", digits),
        12 => ("19", digits),
        14 => digits.split_at(2),
        _ => return None,
    };
    let pair = |at: usize| digits.get(at..at + 2);
    let [year, month, day, hour, minute, second] =
        [pair(0)?, pair(2)?, pair(4)?, pair(6)?, pair(8)?, pair(10)?];
    format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}
