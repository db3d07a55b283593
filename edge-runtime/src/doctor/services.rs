//! The service of the device, and the programs beside it where they are installed.

use super::{Answer, Finding, Machine};

const DEVICE: &str = "pneumoscope";
const DELIVERY: &str = "delivery";

/// Exit code of `pneumoscope-deliver status` where a destination waits, such as for its network.
const WAITS: i32 = 3;

/// Most that is told of a program's words, in characters.
const LONGEST: usize = 400;

/// Whether systemd runs the device now.
pub fn is_active(machine: &Machine) -> bool {
    machine.ask("systemctl", &["is-active", DEVICE]).is_some_and(|answer| answer.said == "active")
}

/// Whether the device's service runs, and will run after a power cut.
pub fn service(machine: &Machine) -> Finding {
    unit(machine, "service", DEVICE)
}

fn unit(machine: &Machine, name: &'static str, unit: &str) -> Finding {
    let ask = |what| machine.ask("systemctl", &[what, unit]).map(|answer| answer.said);
    let on = format!("`systemctl enable --now {unit}`");
    match (ask("is-active").as_deref(), ask("is-enabled").as_deref()) {
        (None | Some(""), _) => Finding::warning(
            name,
            "no systemd answers here",
            "see to it that something starts the program after a power cut",
        ),
        (Some("active"), Some("enabled")) => Finding::ok(name, format!("{unit} runs")),
        (Some("active"), _) => {
            let found = format!("{unit} runs, but will not after a power cut");
            Finding::warning(name, found, format!("`systemctl enable {unit}`"))
        }
        (Some("inactive" | "unknown"), _) => {
            Finding::warning(name, format!("{unit} is switched off"), format!("switch it on: {on}"))
        }
        (Some(state), _) => Finding::failed(
            name,
            format!("{unit} does not come up: {state}"),
            format!("`journalctl -u {unit} -n 50` says why"),
        ),
    }
}

/// Screen and delivery, where they are installed: the service, and what the program says of itself.
pub fn companions(machine: &Machine) -> Vec<Finding> {
    let programs: [(&'static str, &str, &[&str], &str); 2] = [
        (
            "screen",
            "pneumoscope-screen",
            &["check-config"],
            "mend /etc/pneumoscope/screen.toml as it says, then `systemctl restart pneumoscope-screen`",
        ),
        (
            DELIVERY,
            "pneumoscope-deliver",
            &["status"],
            "`pneumoscope-deliver status` says what it waits for; see to the broker, the archive and the network",
        ),
    ];
    let mut findings = Vec::new();
    for (name, program, arguments, remedy) in programs {
        if machine.program(program).is_none() {
            continue;
        }
        findings.push(unit(machine, name, program));
        let Some(Answer { code, said, complained }) = machine.ask(program, arguments) else {
            findings.push(Finding::failed(name, format!("`{program}` does not answer"), remedy));
            continue;
        };
        let told = line(if complained.is_empty() { &said } else { &complained });
        findings.push(match code {
            Some(0) => Finding::ok(name, told),
            Some(WAITS) if name == DELIVERY => Finding::warning(name, told, remedy),
            _ => Finding::failed(name, told, remedy),
        });
    }
    findings
}

/// The beginning of what a program said, on one line.
fn line(said: &str) -> String {
    let said: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    said.join("; ").chars().take(LONGEST).collect()
}
