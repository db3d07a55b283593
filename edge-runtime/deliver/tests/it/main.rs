//! The integration tests of this package in one program. One module a subject.

mod commands;
mod delivery_fleet;
mod delivery_mqtt;
mod delivery_mqtt_access;
mod delivery_pacs;
mod messages;
mod outbox;
mod packaging;
mod pacs;
mod setup;
mod support;
