//! Names in tables that are read back and that people open in spreadsheets: `#[serde(with = "cell")]`.

use edge_model::spreadsheet;
use serde::{Deserialize, Deserializer, Serializer};

pub fn serialize<S: Serializer>(name: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&spreadsheet::cell(name))
}

pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    String::deserialize(from).map(|text| spreadsheet::text(&text).to_owned())
}
