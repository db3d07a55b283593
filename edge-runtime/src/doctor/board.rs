//! The board: its power, and how hot it is.

use super::{Finding, Machine};

/// Bits of the Raspberry Pi's firmware: what is so now, and 16 higher what was so since the start.
/// <https://www.raspberrypi.com/documentation/computers/os.html#get_throttled>
const UNDER_VOLTAGE: u32 = 1;
const SLOWED: u32 = 1 << 1 | 1 << 2 | 1 << 3;
const SINCE_START: u32 = 16;

const SUPPLY: &str = "use the board's own power supply (5.1 V, 3 A; a Pi 5: 5 A) and a short, thick cable";
const COOL: &str = "give it air: a heat sink or a fan, out of the sun, vents free of dust";

/// Whether a Raspberry Pi had enough power and was not slowed down.
pub fn power(machine: &Machine) -> Finding {
    let file = machine.path("/sys/devices/platform/soc/soc:firmware/get_throttled");
    let asked = || machine.ask("vcgencmd", &["get_throttled"]).filter(|answer| answer.code == Some(0));
    let told = machine.read(&file).or_else(|| asked().map(|answer| answer.said));
    let Some(told) = told else { return Finding::ok("power", "this board does not tell") };
    let digits = told.trim_start_matches("throttled=").trim_start_matches("0x");
    let Ok(bits) = u32::from_str_radix(digits, 16) else {
        return Finding::warning("power", format!("the firmware's answer is unknown: {told}"), "report this");
    };
    let (now, before) = (bits, bits >> SINCE_START);
    match () {
        () if now & UNDER_VOLTAGE != 0 => Finding::failed("power", "the voltage is too low now", SUPPLY),
        () if now & SLOWED != 0 => Finding::warning("power", "the processor is slowed down now", COOL),
        () if before & UNDER_VOLTAGE != 0 => {
            Finding::warning("power", "the voltage was too low since the start", SUPPLY)
        }
        () if before & SLOWED != 0 => {
            Finding::warning("power", "the processor was slowed down since the start", COOL)
        }
        () => Finding::ok("power", "enough since the start"),
    }
}

/// The hottest place that the kernel knows. Boards slow down at some 80 degrees, and stop at 110.
pub fn temperature(machine: &Machine) -> Finding {
    let zones = std::fs::read_dir(machine.path("/sys/class/thermal"));
    let zones = zones.into_iter().flatten().flatten().map(|zone| zone.path());
    let zones = zones.filter(|zone| {
        zone.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"thermal_zone"))
    });
    let degrees = zones.filter_map(|zone| machine.read(&zone.join("temp"))?.parse::<f64>().ok());
    let Some(hottest) = degrees.map(|thousandths| thousandths / 1000.0).reduce(f64::max) else {
        return Finding::ok("temperature", "this board does not tell");
    };
    let found = format!("{hottest:.0} °C");
    match hottest {
        85.0.. => Finding::failed("temperature", found, COOL),
        75.0.. => Finding::warning("temperature", found, COOL),
        _ => Finding::ok("temperature", found),
    }
}
