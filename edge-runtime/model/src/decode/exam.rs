//! What a file says of its picture beside the pixels, and whether it may be judged by that. All but the
//! last is of DICOM files.
//!
//! Nothing in here identifies the patient: name, number and birth date are not read, or only as the
//! age that follows. Study UID and accession number name an examination, by which a clinic joins the
//! answer with its own records.
//!
//! A tag that is absent, empty or not understood refuses nothing: many machines write none, and the
//! gate looks at the pixels all the same. The words are the standard's defined terms (PS3.3
//! C.7.3.1.1.1, C.8.7.1.1.2, PS3.16 annex L) and what machines write instead.

use edge_core::Reason;

/// Ages that the device is meant for, in whole months: from the first birthday to the day before the
/// sixth.
pub const MONTHS: std::ops::RangeInclusive<u16> = 12..=71;

/// What a file says of its picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exam {
    /// The study that the picture belongs to, (0020,000D): the same for all pictures of one
    /// examination, and for no other in the world.
    pub study_uid: Option<String>,
    /// The clinic's own number of the examination, (0008,0050).
    pub accession_number: Option<String>,
    /// From where the picture was taken; none where the file does not say.
    pub view: Option<View>,
    /// Why the picture must not be judged, whatever it shows; of files of any format.
    pub refused: Option<Reason>,
}

/// From where a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// From the front or from behind.
    Frontal,
    /// From the side, oblique, or lying on the side.
    Other,
}

/// The tags that decide, as they stand in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tags {
    /// Modality, (0008,0060).
    pub modality: String,
    /// Body Part Examined, (0018,0015).
    pub body_part: String,
    /// View Position, (0018,5101).
    pub view_position: String,
    /// Code value and meaning of the View Code Sequence's first item, (0054,0220).
    pub view_code: String,
    /// Patient Orientation, (0020,0020): where the rows point to, a backslash, the columns.
    pub orientation: String,
    /// Patient's Age, (0010,1010).
    pub age: String,
    /// Patient's Birth Date, (0010,0030).
    pub birth_date: String,
    /// Study Date, (0008,0020).
    pub study_date: String,
}

impl Tags {
    /// From where the picture was taken, by View Position, the view's code, what is said with the part of
    /// the body, and where the rows point to in the patient. Where they contradict each other it is
    /// none to be judged.
    pub fn view(&self) -> Option<View> {
        let says = |known: &[&str]| {
            let texts = [&self.view_position, &self.view_code, &self.body_part];
            texts.into_iter().any(|text| words(text).any(|word| known.contains(&word.as_str())))
        };
        let by_rows = || match self.orientation.trim().bytes().next()? {
            b'A' | b'P' => Some(View::Other),
            b'L' | b'R' => Some(View::Frontal),
            _ => None,
        };
        match by_rows() {
            Some(View::Other) => Some(View::Other),
            _ if says(&NOT_FRONTAL) => Some(View::Other),
            _ if says(&FRONTAL) => Some(View::Frontal),
            rows => rows,
        }
    }

    /// The patient's age in months: as it is stated, and from the dates of birth and study.
    pub fn months(&self) -> [Option<u16>; 2] {
        let by_dates = || {
            let [(born_year, born_month, born_day), (year, month, day)] =
                [date(&self.birth_date)?, date(&self.study_date)?];
            let months = (year * 12 + month).checked_sub(born_year * 12 + born_month)?;
            u16::try_from(months.checked_sub(u32::from(day < born_day))?).ok()
        };
        [stated_months(&self.age), by_dates()]
    }

    /// Why the picture must not be judged.
    pub fn refused(&self) -> Option<Reason> {
        let says = |text: &str, not: &[&str]| words(text).next().is_some_and(|word| !not.contains(&&*word));
        let chest = || words(&self.body_part).any(|word| CHEST.contains(&word.as_str()));
        if says(&self.modality, &RADIOGRAPHS) {
            return Some(Reason::OtherModality);
        }
        if says(&self.body_part, &UNSAID) && !chest() {
            return Some(Reason::OtherBodyPart);
        }
        if self.view() == Some(View::Other) {
            return Some(Reason::NotFrontal);
        }
        let limit = |months| if months < *MONTHS.start() { *MONTHS.start() } else { *MONTHS.end() };
        let beyond = self.months().into_iter().flatten().find(|months| !MONTHS.contains(months));
        beyond.map(|months| Reason::OtherAge(months, limit(months)))
    }
}

/// Computed and digital radiography, radiographic imaging of films, secondary capture (a scanner's
/// "other"), and DR, which is no defined term and yet written.
const RADIOGRAPHS: [&str; 6] = ["CR", "DX", "RG", "OT", "SC", "DR"];

/// What says that the picture shows the chest.
const CHEST: [&str; 6] = ["CHEST", "THORAX", "TORAX", "LUNG", "LUNGS", "CXR"];

/// What says nothing of the part of the body.
const UNSAID: [&str; 7] = ["UNKNOWN", "OTHER", "NONE", "DEFAULT", "UNDEFINED", "UNSPECIFIED", "NA"];

const FRONTAL: [&str; 10] = [
    "AP",
    "PA",
    "FRONTAL",
    "ANTEROPOSTERIOR",
    "POSTEROANTERIOR",
    "ANTERO",
    "POSTERO",
    "R-10206",
    "R-10214",
    "399348003",
];

/// Lateral, oblique, lying on the side, tilted; in words, in defined terms, and as codes (SNOMED).
const NOT_FRONTAL: [&str; 30] = [
    "LL",
    "RL",
    "LAT",
    "LLAT",
    "RLAT",
    "LATERAL",
    "LATERO",
    "PERFIL",
    "PROFIL",
    "SEITLICH",
    "LLD",
    "RLD",
    "DECUB",
    "DECUBITUS",
    "LLO",
    "RLO",
    "LAO",
    "RAO",
    "LPO",
    "RPO",
    "OBL",
    "OBLIQUE",
    "XTABLE",
    "SWIMMERS",
    "LORDOTIC",
    "AXIAL",
    "R-10228",
    "R-10236",
    "399198007",
    "399173006",
];

/// The words of a tag, in capitals. A hyphen between letters parts words; one before digits belongs to
/// a code.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let parted = |c: char| !c.is_ascii_alphanumeric() && c != '-';
    let parts = text.split(parted).flat_map(|part| {
        let code = part.strip_prefix("R-").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        part.split(move |c| c == '-' && !code)
    });
    parts.filter(|word| !word.is_empty()).map(str::to_ascii_uppercase)
}

/// Months of an age string (PS3.5 6.2, AS), such as `018M` or `003Y`.
fn stated_months(text: &str) -> Option<u16> {
    let text = text.trim();
    // A number alone is mostly years, and as years it is soonest beyond what the model is meant for.
    let unit = text.chars().last().map(|last| if last.is_ascii_digit() { 'Y' } else { last })?;
    let count: u32 = text.strip_suffix(unit).unwrap_or(text).trim().parse().ok()?;
    let months = match unit.to_ascii_uppercase() {
        'Y' => count.checked_mul(12)?,
        'M' => count,
        // 52.18 weeks and 365.25 days a year, as whole months that have passed.
        'W' => count.checked_mul(700)? / 3044,
        'D' => count.checked_mul(100)? / 3044,
        _ => return None,
    };
    u16::try_from(months).ok()
}

/// Year, month and day of a date (PS3.5 6.2, DA), `20260131`, or `2026.01.31` as once written.
fn date(text: &str) -> Option<(u32, u32, u32)> {
    let digits: String = text.trim().chars().filter(|c| *c != '.').collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    (digits.len() == 8 && year > 0 && (1..=12).contains(&month) && (1..=31).contains(&day))
        .then_some((year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of the table: the tags as `tag=value`, and what follows.
    fn tags(text: &str) -> Tags {
        let mut tags = Tags::default();
        for (tag, value) in text.split(';').filter_map(|pair| pair.trim().split_once('=')) {
            let field = match tag {
                "modality" => &mut tags.modality,
                "part" => &mut tags.body_part,
                "view" => &mut tags.view_position,
                "code" => &mut tags.view_code,
                "rows" => &mut tags.orientation,
                "age" => &mut tags.age,
                "born" => &mut tags.birth_date,
                "study" => &mut tags.study_date,
                other => panic!("no tag {other}"),
            };
            *field = value.to_owned();
        }
        tags
    }

    #[test]
    fn what_the_tags_say_refuses_and_absent_tags_do_not() {
        use Reason::{NotFrontal, OtherAge, OtherBodyPart, OtherModality};
        let table = [
            ("", None),
            ("modality=DX; part=CHEST; view=PA; age=003Y", None),
            ("modality=CR; part=Chest AP/PA; view=AP SUPINE", None),
            ("modality=RG; part=THORAX", None),
            ("modality=OT", None),
            ("modality=DR ", None),
            ("modality=CT", Some(OtherModality)),
            ("modality=MR", Some(OtherModality)),
            ("modality=XA", Some(OtherModality)),
            ("modality=MG; part=BREAST", Some(OtherModality)),
            ("modality=dx", None),
            ("part=UNKNOWN", None),
            ("part= ", None),
            ("part=HAND", Some(OtherBodyPart)),
            ("part=ABDOMEN; view=LL", Some(OtherBodyPart)),
            ("part=CHESTABDOMEN", Some(OtherBodyPart)),
            ("part=TORAX PA", None),
            ("view=LL", Some(NotFrontal)),
            ("view=RL", Some(NotFrontal)),
            ("view=LATERAL", Some(NotFrontal)),
            ("view=lat", Some(NotFrontal)),
            ("view=RLO", Some(NotFrontal)),
            ("view=AP LLD", Some(NotFrontal)),
            ("view=AP AXIAL", Some(NotFrontal)),
            ("view=STANDING", None),
            ("code=R-10236 left lateral", Some(NotFrontal)),
            ("code=R-10206 antero-posterior", None),
            ("code=399198007 right lateral projection", Some(NotFrontal)),
            ("code=R-10206 antero-posterior; view=LL", Some(NotFrontal)),
            ("rows=A\\F", Some(NotFrontal)),
            ("rows=P\\F", Some(NotFrontal)),
            ("rows=L\\F", None),
            ("rows=A\\F; view=PA", Some(NotFrontal)),
            ("part=CHEST LAT", Some(NotFrontal)),
            ("view=PERFIL", Some(NotFrontal)),
            ("age=012M", None),
            ("age=011M", Some(OtherAge(11, 12))),
            ("age=001Y", None),
            ("age=005Y", None),
            ("age=006Y", Some(OtherAge(72, 71))),
            ("age=071M", None),
            ("age=072M", Some(OtherAge(72, 71))),
            ("age=045Y", Some(OtherAge(540, 71))),
            ("age=003W", Some(OtherAge(0, 12))),
            ("age=104W", None),
            ("age=010D", Some(OtherAge(0, 12))),
            ("age=400D", None),
            ("age=3Y", None),
            ("age=3", None),
            ("age=045", Some(OtherAge(540, 71))),
            ("age=Y", None),
            ("age=99999999999Y", None),
            ("born=20200615; study=20260614", None),
            ("born=20200615; study=20260615", Some(OtherAge(72, 71))),
            ("born=20250601; study=20260531", Some(OtherAge(11, 12))),
            ("born=2025.06.01; study=2026.06.01", None),
            ("born=19000101; study=20260601", Some(OtherAge(1517, 71))),
            ("born=20270101; study=20260101", None),
            ("born=20261301; study=20260101", None),
            ("born=2026; study=20260101", None),
            ("age=004Y; born=19500101; study=20260101", Some(OtherAge(912, 71))),
            ("age=045Y; born=20220101; study=20260101", Some(OtherAge(540, 71))),
        ];
        for (said, refused) in table {
            assert_eq!(tags(said).refused(), refused, "{said}");
        }
    }

    #[test]
    fn a_view_is_known_where_the_file_says_it() {
        for (said, view) in [
            ("view=PA", Some(View::Frontal)),
            ("view=LL", Some(View::Other)),
            ("code=R-10214 postero-anterior", Some(View::Frontal)),
            ("rows=R\\F", Some(View::Frontal)),
            ("rows=H\\F", None),
            ("", None),
        ] {
            assert_eq!(tags(said).view(), view, "{said}");
        }
    }
}
