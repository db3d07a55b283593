//! One connection to a broker in either version of the protocol. It is never taken up again: who loses
//! it makes a new one and sends what was not confirmed.

use super::tls;
use crate::board::Place;
use crate::config::{Mqtt, Version};
use crate::message::{Sender, Topic};
use anyhow::{Context, Result};
use rumqttc::v5::mqttbytes::v5 as five;
use rumqttc::{NetworkOptions, QoS, Transport, v5};
use std::time::Duration;

/// Longest message: the log's longest line with what is added.
const MAX_BYTES: usize = 64 * 1024;

/// Puts messages on the connection's way.
pub enum Client {
    V3(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// The connection itself; nothing moves but in [`Connection::next`].
pub enum Connection {
    V3(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    Connected,
    /// The message whose turn it was has been sent, under this number.
    Sent(u16),
    /// The broker has taken the message of that number upon itself.
    Confirmed(u16),
    Other,
}

pub fn connect(mqtt: &Mqtt, sender: &Sender, will: Vec<u8>, place: &Place) -> Result<(Client, Connection)> {
    let id = format!("pneumoscope-{}-{}", sender.site, sender.device);
    let password = mqtt.password_file.as_ref().map(|path| {
        let text = std::fs::read_to_string(path);
        text.with_context(|| format!("cannot read the password in {}", path.display()))
    });
    let password = password.transpose()?;
    let password = password.as_ref().map(|text| text.lines().next().unwrap_or_default());
    let login = mqtt.user.as_deref().zip(password);
    let transport = match mqtt.tls {
        true => Transport::tls_with_config(rumqttc::TlsConfiguration::Rustls(tls::config(mqtt, place)?)),
        false => Transport::tcp(),
    };
    let keep_alive = Duration::from_secs(mqtt.keep_alive_s.into());
    let topic = sender.topic(Topic::Status);
    // Room for the status and for what is told beside lines.
    let waiting = usize::from(mqtt.in_flight) + 8;
    let in_flight = mqtt.in_flight.saturating_add(8);
    Ok(match mqtt.version {
        Version::V3 => {
            let mut options = rumqttc::MqttOptions::new(id, &mqtt.host, mqtt.port);
            options.set_keep_alive(keep_alive).set_clean_session(true).set_transport(transport);
            options.set_max_packet_size(MAX_BYTES, MAX_BYTES).set_inflight(in_flight);
            options.set_last_will(rumqttc::LastWill::new(topic, will, QoS::AtLeastOnce, true));
            if let Some((user, password)) = login {
                options.set_credentials(user, password);
            }
            let (client, mut events) = rumqttc::AsyncClient::new(options, waiting);
            let mut network = NetworkOptions::new();
            network.set_tcp_nodelay(true);
            network.set_connection_timeout(10);
            events.set_network_options(network);
            (Client::V3(client), Connection::V3(Box::new(events)))
        }
        Version::V5 => {
            let mut options = v5::MqttOptions::new(id, &mqtt.host, mqtt.port);
            options.set_keep_alive(keep_alive).set_clean_start(true).set_transport(transport);
            options.set_max_packet_size(Some(MAX_BYTES as u32)).set_connection_timeout(10);
            options.set_outgoing_inflight_upper_limit(in_flight);
            let qos = v5::mqttbytes::QoS::AtLeastOnce;
            options.set_last_will(five::LastWill::new(topic, will, qos, true, None));
            if let Some((user, password)) = login {
                options.set_credentials(user, password);
            }
            let mut network = NetworkOptions::new();
            network.set_tcp_nodelay(true);
            options.set_network_options(network);
            let (client, events) = v5::AsyncClient::new(options, waiting);
            (Client::V5(client), Connection::V5(Box::new(events)))
        }
    })
}

impl Client {
    /// Puts a message on its way, at least once; false where too many wait.
    pub fn publish(&self, topic: String, retain: bool, payload: Vec<u8>) -> bool {
        match self {
            Client::V3(client) => client.try_publish(topic, QoS::AtLeastOnce, retain, payload).is_ok(),
            Client::V5(client) => {
                let qos = v5::mqttbytes::QoS::AtLeastOnce;
                client.try_publish(topic, qos, retain, payload).is_ok()
            }
        }
    }
}

impl Connection {
    /// What happens next. Not to be dropped before it is ready: a connection that is being made would
    /// be given up.
    pub async fn next(&mut self) -> Result<Signal> {
        Ok(match self {
            Connection::V3(events) => {
                use rumqttc::{Event, Outgoing, Packet};
                match events.poll().await? {
                    Event::Incoming(Packet::ConnAck(_)) => Signal::Connected,
                    Event::Incoming(Packet::PubAck(ack)) => Signal::Confirmed(ack.pkid),
                    Event::Outgoing(Outgoing::Publish(number)) => Signal::Sent(number),
                    _ => Signal::Other,
                }
            }
            Connection::V5(events) => {
                use rumqttc::Outgoing;
                use v5::{Event, mqttbytes::v5::Packet};
                match events.poll().await? {
                    Event::Incoming(Packet::ConnAck(_)) => Signal::Connected,
                    Event::Incoming(Packet::PubAck(ack)) => {
                        use five::PubAckReason::{NoMatchingSubscribers, Success};
                        anyhow::ensure!(
                            matches!(ack.reason, Success | NoMatchingSubscribers),
                            "the broker refuses a message: {:?}; look at its access list for this device",
                            ack.reason
                        );
                        Signal::Confirmed(ack.pkid)
                    }
                    Event::Outgoing(Outgoing::Publish(number)) => Signal::Sent(number),
                    _ => Signal::Other,
                }
            }
        })
    }
}
