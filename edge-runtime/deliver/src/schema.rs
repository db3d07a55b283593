//! The forms of the messages, JSON Schema 2020-12.

/// Name and text of each.
pub const SCHEMAS: [(&str, &str); 4] = [
    ("decision", include_str!("../../../docs/schemas/decision.schema.json")),
    ("event", include_str!("../../../docs/schemas/event.schema.json")),
    ("gap", include_str!("../../../docs/schemas/gap.schema.json")),
    ("status", include_str!("../../../docs/schemas/status.schema.json")),
];
